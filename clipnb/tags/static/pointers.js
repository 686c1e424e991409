"use strict";
// Mouse, pen, fingers and keys over the drawing: point, click, move a tag, move the view, zoom. Returns what undoes it.
const handlePointers = (stage, canvas, { camera, hit, target, point, zoom, moveTo, redraw, moved, click, open }) => {
  const down = new Map(), listeners = [];
  let grabbed = null, travelled = 0, spread = 0;
  const on = (where, name, act, options) => { where.addEventListener(name, act, options); listeners.push(() => where.removeEventListener(name, act, options)); };
  const at = (event) => { const box = canvas.getBoundingClientRect(); return { x: event.clientX - box.left, y: event.clientY - box.top }; };
  const distance = () => { const [a, b] = down.values(); return Math.hypot(a.x - b.x, a.y - b.y); };
  on(canvas, "pointerdown", (event) => {
    if (event.button > 0) return;
    down.set(event.pointerId, at(event));
    canvas.setPointerCapture(event.pointerId);
    travelled = 0;
    if (down.size === 1) grabbed = hit(at(event), event.pointerType === "touch" ? 12 : 4);
    else { grabbed = null; spread = distance(); }
    point(null);
  });
  on(canvas, "pointermove", (event) => {
    const now = at(event), before = down.get(event.pointerId);
    if (!before) { if (event.pointerType !== "touch") point(target(now, 4), now); return; }
    down.set(event.pointerId, now);
    travelled += Math.hypot(now.x - before.x, now.y - before.y);
    if (down.size === 2) {
      const [a, b] = down.values(), wider = distance(), x = (now.x - before.x) / 2, y = (now.y - before.y) / 2;
      moveTo({ x: camera.x - x / camera.k, y: camera.y - y / camera.k });
      zoom(wider / (spread || wider), { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 });
      spread = wider;
    } else if (travelled > 3) {
      const x = (now.x - before.x) / camera.k, y = (now.y - before.y) / camera.k;
      if (grabbed) { grabbed.x += x; grabbed.y += y; redraw(); } else moveTo({ x: camera.x - x, y: camera.y - y });
    }
  });
  const up = (event) => {
    if (!down.delete(event.pointerId)) return;
    if (event.type === "pointerup" && travelled <= 3) click(target(at(event), event.pointerType === "touch" ? 12 : 4), event.ctrlKey || event.metaKey || event.shiftKey);
    else if (grabbed && travelled > 3) moved(grabbed);
    grabbed = null;
  };
  on(canvas, "pointerup", up);
  on(canvas, "pointercancel", up);
  on(canvas, "touchend", (event) => event.preventDefault(), { passive: false });  // else its click falls on what opens under the finger
  on(canvas, "pointerleave", () => { if (!down.size) point(null); });
  on(canvas, "dblclick", (event) => open(target(at(event), 4)));
  on(canvas, "wheel", (event) => { event.preventDefault(); zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0016)), at(event)); }, { passive: false });
  on(stage, "keydown", (event) => {
    const steps = { ArrowLeft: [-60, 0], ArrowRight: [60, 0], ArrowUp: [0, -60], ArrowDown: [0, 60] }, step = steps[event.key];
    if (event.target !== stage || event.ctrlKey || event.metaKey || event.altKey) return;
    if (step) moveTo({ x: camera.x + step[0] / camera.k, y: camera.y + step[1] / camera.k });
    else if (event.key === "+" || event.key === "=") zoom(1.4, undefined, true);
    else if (event.key === "-") zoom(1 / 1.4, undefined, true);
    else return;
    event.preventDefault();
  });
  return () => listeners.forEach((undo) => undo());
};
