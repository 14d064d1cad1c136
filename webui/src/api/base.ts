/**
 * Where the console is, with a slash at its end. A proxy may serve it under a path of its own, of which
 * the broker knows nothing; its scripts do, as they lie in `assets/` below it.
 */
export const HOME = import.meta.env.DEV ? "/" : new URL("../", import.meta.url).pathname;

/** What paths of the API come after. */
export const BROKER = location.origin + HOME.slice(0, -1);
