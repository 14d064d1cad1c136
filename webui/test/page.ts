// The address of the page that modules ask for when they are loaded. Nothing here goes there.
Object.defineProperty(globalThis, "location", { value: new URL("https://broker.test/") });
