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

// The value of a curve at a step, on the straight line between the two beside it that are known.
function valueAt(steps, values, step) {
  const after = Math.max(1, steps.findIndex((one) => one >= step));
  const share = (step - steps[after - 1]) / (steps[after] - steps[after - 1]);
  return values[after - 1] + share * (values[after] - values[after - 1]);
}

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
  draw(svg, "path", { class: "frame", d: `M${LEFT} ${TOP}V${HEIGHT - BOTTOM}H${WIDTH - RIGHT}` });
  draw(svg, "text", { x: LEFT - 4, y: TOP + 8, "text-anchor": "end" }, short(high));
  draw(svg, "text", { x: LEFT - 4, y: HEIGHT - BOTTOM, "text-anchor": "end" }, short(low));
  draw(svg, "text", { x: LEFT, y: HEIGHT - 6 }, "step 1");
  draw(svg, "text", { x: WIDTH - RIGHT, y: HEIGHT - 6, "text-anchor": "end" }, String(last + 1));
  const line = draw(svg, "path", { class: "now" });
  const dots = curves.map((values) => {
    draw(svg, "polyline", { points: values.map((value, place) => `${x(steps[place])},${y(value)}`).join(" ") });
    return draw(svg, "circle", { r: 3.5 });
  });
  const show = (newer) => {
    const step = Math.min(newer.now, last);
    const span = `curve from step 1 to ${last + 1}, between ${short(low)} and ${short(high)}`;
    svg.setAttribute("aria-label", `${span}; ${newer.words}`);
    line.setAttribute("d", `M${x(step)} ${TOP}V${HEIGHT - BOTTOM}`);
    for (const [place, dot] of dots.entries()) {
      dot.setAttribute("cx", x(step));
      dot.setAttribute("cy", y(valueAt(steps, curves[place], step)));
    }
  };
  show({ words, now });
  return { svg, show };
}
