/**
 * Over HTTP/1.1 a browser opens six connections to one address, for all tabs together; a seventh call
 * would wait for ever. So many of them may be streams.
 */
export const SLOTS = 4;

export type Release = () => void;

/** One of the places for streams that all tabs share; null while others have all of them. */
export async function takeSlot(locks: LockManager = navigator.locks): Promise<Release | null> {
  for (let slot = 1; slot <= SLOTS; slot++) {
    const release = await held(locks, `penstock-live-${String(slot)}`);
    if (release !== null) {
      return release;
    }
  }
  return null;
}

/** Held until it is released, or the tab is gone. */
function held(locks: LockManager, name: string): Promise<Release | null> {
  return new Promise((told, failed) => {
    locks
      .request(name, { ifAvailable: true }, (lock) => {
        if (lock === null) {
          told(null);
          return undefined;
        }
        return new Promise<void>((release) => {
          told(release);
        });
      })
      .catch(failed);
  });
}
