/** Colours of the tokens as a canvas understands them: the browser resolves `light-dark()` for us. */
export function colour(token: string): string {
  const probe = document.createElement("span");
  probe.style.color = `var(${token})`;
  probe.style.display = "none";
  document.body.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}

export type Rgb = readonly [number, number, number];

export function rgb(token: string): Rgb {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 1;
  const context = canvas.getContext("2d");
  if (context === null) {
    return [0, 0, 0];
  }
  // By a pixel: the computed colour may be written in any colour space.
  context.fillStyle = colour(token);
  context.fillRect(0, 0, 1, 1);
  const [r = 0, g = 0, b = 0] = context.getImageData(0, 0, 1, 1).data;
  return [r, g, b];
}

/** Told when light turns dark, by the switch here or by the system. */
export function onThemeChange(listener: () => void): () => void {
  const query = matchMedia("(prefers-color-scheme: dark)");
  query.addEventListener("change", listener);
  window.addEventListener("penstock-theme", listener);
  return () => {
    query.removeEventListener("change", listener);
    window.removeEventListener("penstock-theme", listener);
  };
}
