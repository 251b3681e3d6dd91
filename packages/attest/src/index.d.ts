/** What a wallet wants to see. */
export interface Options {
  /** The block that you trust, `HEIGHT:HASH`, from another place than the bundle. */
  checkpoint: string;
  /** At least so many enclaves; 1. */
  nodes?: number;
  /** Chips of at least so many makers; 2, or 1 on a SIMULATED chain. */
  vendors?: number;
  /** How old the newest header may be, in seconds; a day. */
  maxAge?: number;
  /** For how long validators vouch for later blocks, in seconds; 14 days. */
  trustFor?: number;
  /** Milliseconds since the Unix epoch; the clock. */
  now?: number;
}

/** An enclave that is proven to be one. Bytes are hex with 0x. */
export interface Enclave {
  chip: string;
  family: 'sgx' | 'tdx' | 'snp-milan' | 'snp-genoa' | 'snp-turin';
  measurement: string;
  source: string;
  lock: string;
  toolchain: string;
  flags: string;
  /** Ed25519 keys of those who built the same. On a SIMULATED chain there may be none. */
  rebuilders: string[];
  consensusKey: string;
  registered: { height: bigint; index: number };
  /** Seconds since the Unix epoch. */
  expires: number;
}

/** What a bundle proves. */
export interface Verdict {
  /** To be shown before anything else: whoever runs a node of a SIMULATED chain can read what is sealed. */
  simulated: boolean;
  chainId: string;
  /** Only of a bundle that begins with it. */
  genesis: string | null;
  /** The newest header, to be trusted the next time. */
  checkpoint: string;
  /** Its time, in milliseconds since the Unix epoch. */
  time: number;
  epoch: { number: bigint; height: bigint };
  /** X25519 keys: `input` for messages of our own form in this epoch, `io` for secretjs's. */
  keys: { input: string; io: string; registration: string };
  /** How many chips are registered. */
  registered: number;
  enclaves: Enclave[];
}

/** Why a bundle does not vouch for the keys in it. */
export class BundleError extends Error {
  code:
    | 'format' | 'way' | 'named' | 'stale' | 'future' | 'state'
    | 'trust' | 'member' | 'evidence' | 'unsupported' | 'nodes' | 'vendors';
}

/** Whether a bundle leads from a block that you trust to keys that enough attested enclaves have. */
export function verifyBundle(text: string, options: Options): Promise<Verdict>;
