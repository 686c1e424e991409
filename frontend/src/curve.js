// A curve over the steps of a run, with the present one.
const SPACE = "http://www.w3.org/2000/svg";
const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [300, 110, 46, 8, 8, 20];

function draw(parent, tag, attributes, text) {
  const element = document.createElementNS(SPACE, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  parent.append(element);
  return element;
}

const short = (value) => String(Number(value.toPrecision(3)));

export function curveOf({ words, steps, curves, now }) {
  const all = curves.flat();
  const last = Math.max(1, steps[steps.length - 1]);
  let [low, high] = [Math.min(...all), Math.max(...all)];
  if (low === high) [low, high] = [low - Math.abs(low || 1) / 2, high + Math.abs(high || 1) / 2];
  const x = (step) => LEFT + (step / last) * (WIDTH - LEFT - RIGHT);
  const y = (value) => TOP + ((high - value) / (high - low)) * (HEIGHT - TOP - BOTTOM);

  const svg = document.createElementNS(SPACE, "svg");
  svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  svg.setAttribute("width", WIDTH);
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", `curve from step 1 to ${last + 1}, between ${short(low)} and ${short(high)}; ${words}`);
  draw(svg, "path", { class: "frame", d: `M${LEFT} ${TOP}V${HEIGHT - BOTTOM}H${WIDTH - RIGHT}` });
  draw(svg, "text", { x: LEFT - 4, y: TOP + 8, "text-anchor": "end" }, short(high));
  draw(svg, "text", { x: LEFT - 4, y: HEIGHT - BOTTOM, "text-anchor": "end" }, short(low));
  draw(svg, "text", { x: LEFT, y: HEIGHT - 6 }, "step 1");
  draw(svg, "text", { x: WIDTH - RIGHT, y: HEIGHT - 6, "text-anchor": "end" }, String(last + 1));
  draw(svg, "path", { class: "now", d: `M${x(now)} ${TOP}V${HEIGHT - BOTTOM}` });
  for (const values of curves) {
    draw(svg, "polyline", { points: values.map((value, place) => `${x(steps[place])},${y(value)}`).join(" ") });
    draw(svg, "circle", { cx: x(now), cy: y(values[steps.indexOf(now)]), r: 3.5 });
  }
  return svg;
}
