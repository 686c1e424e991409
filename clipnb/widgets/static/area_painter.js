// A rectangle or paint over the picture that lies in the same glass, by mouse, finger or keys; given when it is asked for.
const LARGEST = 512; // pixels of the longer side of what is painted
const STEP = 0.02; // of the side, that an arrow key moves

function render({ model, el }) {
  const canvas = Object.assign(document.createElement("canvas"), { className: "clipnb-painter", tabIndex: 0 });
  canvas.setAttribute("role", "application");
  canvas.setAttribute("aria-roledescription", "drawing");
  canvas.dataset.lmSuppressShortcuts = "true";
  el.append(canvas);
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  let box = null, from = null, at = [0.5, 0.5], last = null, picture = null, observer = null;

  const tool = () => model.get("tool");
  const COLOUR = "#10b981";
  const bounded = (x) => Math.min(1, Math.max(0, x));
  const clear = () => {
    box = last = null;
    pen.clearRect(0, 0, canvas.width, canvas.height);
  };
  const lay = () => {
    if (!picture?.isConnected || !picture.naturalWidth) return;
    const [width, height] = [picture.offsetWidth, picture.offsetHeight];
    Object.assign(canvas.style, { left: `${picture.offsetLeft}px`, top: `${picture.offsetTop}px`, width: `${width}px`, height: `${height}px` });
    const scale = Math.min(1, LARGEST / Math.max(picture.naturalWidth, picture.naturalHeight));
    const sides = [picture.naturalWidth, picture.naturalHeight].map((side) => Math.max(1, Math.round(scale * side)));
    if (canvas.width !== sides[0] || canvas.height !== sides[1]) {
      [canvas.width, canvas.height] = sides;
      clear();
    }
  };
  const drawBox = () => {
    pen.clearRect(0, 0, canvas.width, canvas.height);
    const [x0, y0, x1, y1] = box.map((share, i) => share * (i % 2 ? canvas.height : canvas.width));
    pen.fillStyle = COLOUR;
    pen.fillRect(x0, y0, x1 - x0, y1 - y0);
    say();
  };
  const dab = (to) => {
    const [w, h] = [canvas.width, canvas.height], thick = model.get("size") * Math.max(w, h);
    pen.globalCompositeOperation = tool() === "eraser" ? "destination-out" : "source-over";
    pen.strokeStyle = COLOUR;
    pen.lineWidth = thick;
    pen.lineCap = pen.lineJoin = "round";
    pen.beginPath();
    pen.moveTo((last ?? to)[0] * w, (last ?? to)[1] * h);
    pen.lineTo(to[0] * w + 0.01, to[1] * h);
    pen.stroke();
    pen.globalCompositeOperation = "source-over";
    last = to;
  };
  const where = (event) => {
    const room = canvas.getBoundingClientRect();
    return [bounded((event.clientX - room.left) / room.width), bounded((event.clientY - room.top) / room.height)];
  };
  const say = () => {
    const percent = (shares) => shares.map((share) => Math.round(100 * share)).join(" ");
    const words = tool() !== "rectangle" ? `${tool()} at ${percent(at)} percent; arrow keys move, space paints`
      : `rectangle ${box ? percent(box) : "not drawn"} percent; arrow keys move, with shift they change its size`;
    canvas.setAttribute("aria-label", `area of the picture: ${words}, Enter uses it`);
  };
  const give = () => {
    if (tool() === "rectangle" && box) model.send({ event: "box", box });
    else if (tool() === "rectangle") model.send({ event: "nothing" });
    else {
      const { width, height } = canvas, { data } = pen.getImageData(0, 0, width, height);
      const mask = new Uint8Array(width * height);
      for (let i = 0; i < mask.length; i += 1) mask[i] = data[4 * i + 3];
      model.send({ event: "mask", width, height }, undefined, [new DataView(mask.buffer)]);
    }
  };
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    event.preventDefault();
    canvas.focus();
    canvas.setPointerCapture(event.pointerId);
    from = at = where(event);
    last = null;
    if (tool() !== "rectangle") dab(at);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!from) return;
    at = where(event);
    if (tool() === "rectangle") {
      box = [Math.min(from[0], at[0]), Math.min(from[1], at[1]), Math.max(from[0], at[0]), Math.max(from[1], at[1])];
      drawBox();
    } else dab(at);
  });
  for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => { from = last = null; say(); });
  canvas.addEventListener("keydown", (event) => {
    const [x, y] = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] }[event.key] ?? [0, 0];
    if (event.key === "Enter") give();
    else if (event.key === "Delete" || event.key === "Backspace") clear();
    else if (event.key === " " && tool() !== "rectangle") { last = null; dab(at); }
    else if (x || y) {
      if (tool() === "rectangle") {
        box ??= [0.25, 0.25, 0.75, 0.75];
        const [dx, dy] = event.shiftKey ? [0, 0] : [x, y];
        const moved = [box[0] + dx, box[1] + dy, box[2] + x, box[3] + y];
        if (Math.min(...moved) >= -1e-9 && Math.max(...moved) <= 1 + 1e-9 && moved[2] - moved[0] > STEP / 2 && moved[3] - moved[1] > STEP / 2)
          box = moved.map(bounded);
        drawBox();
      } else {
        at = [bounded(at[0] + x), bounded(at[1] + y)];
        last = null;
      }
    } else return;
    event.preventDefault();
    event.stopPropagation();
    say();
  });
  const toolChanged = () => {
    picture = el.closest(".clipnb-glass")?.querySelector("img") ?? null;
    observer?.disconnect();
    canvas.hidden = !tool() || !picture;
    if (canvas.hidden) return;
    observer = new ResizeObserver(lay);
    observer.observe(picture);
    picture.addEventListener("load", lay);
    if ((box !== null) !== (tool() === "rectangle")) clear();
    lay();
    say();
  };
  const hear = (message) => (message.event === "give" ? give() : clear());
  model.on("change:tool", toolChanged);
  model.on("msg:custom", hear);
  requestAnimationFrame(toolChanged); // when it is in the page, beside the picture
  return () => {
    observer?.disconnect();
    picture?.removeEventListener("load", lay);
    model.off("change:tool", toolChanged);
    model.off("msg:custom", hear);
  };
}
export default { render };
