// The history of a run as a strip of thumbnails: dragging and arrow keys lead back, its right end is now.
const HEIGHT = 52; // pixels of a thumbnail
const KEPT = 240; // thumbnails that stay in the browser
const QUIET = 60; // milliseconds between two messages while somebody drags
const OWN = 500; // milliseconds for which what the user does here counts, and not what the kernel answers

function render({ model, el }) {
  const make = (tag, css) => Object.assign(document.createElement(tag), { className: css });
  const root = make("div", "clipnb-strip"), film = make("div", "clipnb-film"), head = make("span", "clipnb-playhead");
  const now = make("button", "clipnb-now");
  now.type = "button";
  now.textContent = "now";
  now.title = "show the newest picture";
  film.tabIndex = 0;
  film.setAttribute("role", "slider");
  film.setAttribute("aria-label", "history of the picture");
  film.setAttribute("aria-valuemin", "0");
  film.dataset.lmSuppressShortcuts = "true";
  root.append(film, now);
  el.append(root);
  const pictures = new Map(), cells = []; // URLs by number
  let turn = model.get("turn"), place = model.get("place"), used = 0, acted = 0, sending = 0, asking = 0, drags = false;

  const numbers = () => model.get("numbers");
  const said = (at) => (at < numbers().length ? `${model.get("word")} ${numbers()[at]}` : "now");
  const mark = () => {
    const count = numbers().length, live = place >= count;
    film.setAttribute("aria-valuemax", String(count));
    film.setAttribute("aria-valuenow", String(Math.min(place, count)));
    film.setAttribute("aria-valuetext", said(place));
    film.setAttribute("aria-disabled", String(count === 0));
    head.hidden = live;
    head.dataset.said = said(place);
    const x = count ? ((place + 0.5) / count) * used : 0;
    head.style.left = `${x}px`;
    head.dataset.side = x > used / 2 ? "left" : "right";
    root.classList.toggle("clipnb-back", !live);
    now.setAttribute("aria-pressed", String(live));
    now.disabled = count === 0;
  };
  const draw = () => {
    const all = numbers(), width = film.clientWidth;
    const wide = Math.max(20, Math.min(width, HEIGHT * model.get("ratio")));
    const slots = Math.max(1, Math.round(width / wide)), count = Math.min(all.length, slots);
    const cell = width / slots;
    used = count * cell;
    while (cells.length > count) cells.pop().remove();
    while (cells.length < count) {
      const picture = make("img", "");
      picture.alt = "";
      picture.draggable = false;
      cells.push(picture);
      film.append(picture);
    }
    film.append(head);
    const lacking = [];
    cells.forEach((picture, i) => {
      const number = all[count === 1 ? 0 : Math.round((i * (all.length - 1)) / (count - 1))];
      picture.style.width = `${cell}px`;
      const url = pictures.get(number);
      if (url && picture.src !== url) picture.src = url; // till then it keeps the one before
      if (!url) lacking.push(number);
    });
    mark();
    clearTimeout(asking);
    if (lacking.length) asking = setTimeout(() => model.send({ event: "need", turn, numbers: lacking.slice(0, 64) }), 40);
  };
  const send = () => {
    sending = 0;
    const all = numbers();
    model.send({ event: "look", turn, number: place < all.length ? all[place] : -1 });
  };
  const look = (at) => {
    const wished = Math.max(0, Math.min(numbers().length, at));
    acted = performance.now();
    if (wished === place) return;
    place = wished;
    mark();
    if (!sending) sending = setTimeout(send, QUIET);
  };
  const placeAt = (event) => {
    const x = event.clientX - film.getBoundingClientRect().left, count = numbers().length;
    return x > used ? count : Math.floor((Math.max(0, x) / used) * count);
  };
  film.addEventListener("pointerdown", (event) => {
    if (event.button || !numbers().length) return;
    film.setPointerCapture(event.pointerId);
    drags = true;
    look(placeAt(event));
  });
  film.addEventListener("pointermove", (event) => drags && look(placeAt(event)));
  for (const end of ["pointerup", "pointercancel"]) film.addEventListener(end, () => { drags = false; });
  film.addEventListener("keydown", (event) => {
    const count = numbers().length, page = Math.max(1, Math.round(count / 10));
    const steps = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -page, PageUp: page };
    const wished = { Home: 0, End: count }[event.key] ?? (event.key in steps ? place + steps[event.key] : undefined);
    if (wished === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    look(wished);
  });
  now.addEventListener("click", () => look(numbers().length));

  const forget = () => {
    for (const url of pictures.values()) URL.revokeObjectURL(url);
    pictures.clear();
    for (const picture of cells.splice(0)) picture.remove();
  };
  const hear = (message, buffers) => {
    if (message.turn !== turn) return;
    message.numbers.forEach((number, i) => {
      if (!pictures.has(number)) pictures.set(number, URL.createObjectURL(new Blob([buffers[i]], { type: "image/jpeg" })));
    });
    const shown = new Set(cells.map((picture) => picture.src));
    for (const [number, url] of pictures) {
      if (pictures.size <= KEPT) break;
      if (shown.has(url)) continue;
      URL.revokeObjectURL(url);
      pictures.delete(number);
    }
    draw();
  };
  const changed = () => {
    if (turn !== model.get("turn")) {
      turn = model.get("turn");
      forget();
    }
    follow();
    draw();
  };
  const follow = () => {
    clearTimeout(follow.later);
    const rest = acted + OWN - performance.now();
    if (!drags && rest <= 0) place = model.get("place");
    else follow.later = setTimeout(follow, Math.max(50, rest));
    mark();
  };
  const observer = new ResizeObserver(draw);
  observer.observe(film);
  model.on("msg:custom", hear);
  model.on("change:numbers change:turn change:ratio", changed);
  model.on("change:place", follow);
  draw();
  return () => {
    observer.disconnect();
    for (const timer of [asking, sending, follow.later]) clearTimeout(timer);
    model.off("msg:custom", hear);
    model.off("change:numbers change:turn change:ratio", changed);
    model.off("change:place", follow);
    forget();
  };
}
export default { render };
