// One address in front of several nodes: each request goes to the next node, so that a client that knows one address talks
// to the whole network.
//
//   node spread.mjs '{"rpc":["http://127.0.0.1:8545","http://127.0.0.1:8555"],"rest":[...]}'
//
// stdout: one line of JSON with an address of its own for each door. Ends when its input does, and then says on stderr how
// many requests each node had. A WebSocket stays with the node that accepted it.
//
// CLOISTER_STICKY=1: all requests go to the node that the door's first one went to, as a load balancer with sticky sessions
// does for one client.

import http from 'node:http';
import net from 'node:net';

const sticky = process.env.CLOISTER_STICKY === '1';
const served = {};

const doors = Object.entries(JSON.parse(process.argv[2]));
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
  const agent = new http.Agent({ keepAlive: true });
  let turn = 0;
  const next = () => {
    const choice = sticky ? 0 : turn++ % nodes.length;
    counts[choice] += 1;
    return nodes[choice];
  };

  const server = http.createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    const { hostname, port } = next();
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

  server.on('upgrade', (request, socket, head) => {
    const { hostname, port } = next();
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
