/** Why a bundle does not vouch for the keys in it. `code` never changes, the words may. */
export class BundleError extends Error {
  /** @param {string} code @param {string} message */
  constructor(code, message) {
    super(message);
    this.name = 'BundleError';
    this.code = code;
  }
}

/** Throws. */
export function refuse(code, message) {
  throw new BundleError(code, message);
}
