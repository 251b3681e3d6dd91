// One address in front of several nodes: each request goes to the next node, so that a client that knows one address talks
// to the whole network.
//
//   node spread.mjs '{"rpc":["http://127.0.0.1:8545","http://127.0.0.1:8555"],"rest":[...]}'
//
// stdout: one line of JSON with an address of its own for each door. Ends when its input does, and then says on stderr how
// many requests each node had. A WebSocket stays with the node that accepted it.
//
// A client reads its sequence right after a receipt, and another node may be a block behind the one that told it. So a
// request goes to the next node *that has the newest block that any node has*: whatever was answered before, the next answer
// is not older. This is what public gateways in front of several nodes do. CLOISTER_SPREAD=plain leaves that out.

import http from 'node:http';
import net from 'node:net';

const plain = process.env.CLOISTER_SPREAD === 'plain';
const agent = new http.Agent({ keepAlive: true });
const served = {};

const given = JSON.parse(process.argv[2]);
const doors = Object.entries(given);
const opened = await Promise.all(doors.map(async ([name, nodes]) => [name, await open(name, nodes.map((node) => new URL(node)))]));
console.log(JSON.stringify(Object.fromEntries(opened)));

process.stdin.resume();
process.stdin.on('end', () => {
  for (const [name, counts] of Object.entries(served)) console.error(`${name}: ${counts.join(' + ')} requests`);
  process.exit(0);
});

/** Listens on a free port; the address. */
function open(name, nodes) {
  const counts = (served[name] = nodes.map(() => 0));
  let turn = 0;
  const next = async () => {
    const heights = plain ? nodes.map(() => 0) : await Promise.all(given.rpc.map(height));
    const newest = Math.max(...heights);
    do turn = (turn + 1) % nodes.length;
    while (heights[turn] < newest);
    counts[turn] += 1;
    return nodes[turn];
  };

  const server = http.createServer({ keepAliveTimeout: 60_000 }, async (request, response) => {
    const { hostname, port } = await next();
    const { method, url: path, headers } = request;
    const onward = http.request({ hostname, port, method, path, headers, agent }, (answer) => {
      response.writeHead(answer.statusCode, answer.statusMessage, answer.rawHeaders);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    // A client that goes away takes its question with it.
    response.on('close', () => response.writableFinished || onward.destroy());
    request.pipe(onward);
  });

  server.on('upgrade', async (request, socket, head) => {
    const { hostname, port } = await next();
    const onward = net.connect(port, hostname, () => {
      const pairs = Array.from({ length: request.rawHeaders.length / 2 }, (_, i) => request.rawHeaders.slice(2 * i, 2 * i + 2));
      const lines = [`${request.method} ${request.url} HTTP/1.1`, ...pairs.map((pair) => pair.join(': '))];
      onward.write(`${lines.join('\r\n')}\r\n\r\n`);
      onward.write(head);
      onward.pipe(socket).pipe(onward);
    });
    onward.on('error', () => socket.destroy());
    socket.on('error', () => onward.destroy());
  });

  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${server.address().port}`));
  });
}

/** Of a node's newest block; -1 if it does not say. */
function height(url) {
  return new Promise((resolve) => {
    const silent = () => resolve(-1);
    const headers = { 'content-type': 'application/json' };
    const request = http.request(url, { method: 'POST', headers, agent }, async (answer) => {
      try {
        resolve(Number(JSON.parse(Buffer.concat(await answer.toArray())).result));
      } catch {
        silent();
      }
    });
    request.on('error', silent);
    request.end('{"jsonrpc":"2.0","id":0,"method":"eth_blockNumber","params":[]}');
  });
}
