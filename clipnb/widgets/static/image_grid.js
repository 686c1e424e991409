// A grid of any number of images: only what is in view is in the page, and only what is in view is asked for.
const CELL = 158, HEIGHT = 212; // pixels of a tile with its gaps
const KEPT = 2000; // pictures that stay in the browser
const ASKED = 400; // images of one message

function render({ model, el }) {
  const frame = document.createElement("div"), ground = document.createElement("div");
  frame.className = "clipnb-scroll";
  frame.tabIndex = 0;
  frame.setAttribute("role", "listbox");
  frame.setAttribute("aria-label", "images");
  frame.dataset.lmSuppressShortcuts = "true";
  frame.append(ground);
  el.append(frame);
  const pictures = new Map(), broken = new Map(), texts = new Map(); // by key
  const nodes = new Map(); // by key, what is in the page
  let opening = model.get("opening"), edition = model.get("edition"), asked = "", timer = 0, columns = 1;

  const makeTile = (key) => {
    const tile = document.createElement("div"), picture = document.createElement("img"), text = document.createElement("span");
    tile.className = "clipnb-cell";
    tile.setAttribute("role", "option");
    tile.dataset.key = key;
    picture.alt = "";
    picture.draggable = false;
    tile.append(picture, text);
    tile.addEventListener("click", () => model.send({ event: "look", opening, key }));
    ground.append(tile);
    return tile;
  };
  const fill = (tile, key) => {
    const [picture, text] = tile.children, url = pictures.get(key);
    if (url && picture.src !== url) picture.src = url;
    picture.hidden = !url && !broken.has(key);
    if (texts.has(key)) [tile.title, text.textContent, tile.dataset.state] = texts.get(key);
    if (broken.has(key)) picture.alt = broken.get(key);
    tile.setAttribute("aria-selected", String(key === model.get("chosen")));
  };
  const draw = () => {
    const shown = model.get("shown");
    columns = Math.max(1, Math.floor(ground.clientWidth / CELL));
    ground.style.height = `${Math.ceil(shown.length / columns) * HEIGHT}px`;
    const first = Math.max(0, Math.floor(frame.scrollTop / HEIGHT) - 1) * columns;
    const last = Math.min(shown.length, (Math.ceil((frame.scrollTop + frame.clientHeight) / HEIGHT) + 1) * columns);
    const width = ground.clientWidth / columns, inView = shown.slice(first, last), wanted = new Set(inView);
    for (const [key, tile] of nodes) if (!wanted.has(key)) { tile.remove(); nodes.delete(key); }
    inView.forEach((key, i) => {
      const place = first + i, tile = nodes.get(key) ?? makeTile(key);
      nodes.set(key, tile);
      tile.style.transform = `translate(${(place % columns) * width}px, ${Math.floor(place / columns) * HEIGHT}px)`;
      tile.style.width = `${width - 8}px`;
      fill(tile, key);
    });
    clearTimeout(timer);
    timer = setTimeout(() => ask(inView), 40); // not for what only flies by
  };
  const ask = (keys) => {
    const lacking = keys.filter((key) => !pictures.has(key) && !broken.has(key)).slice(0, ASKED);
    const untold = keys.filter((key) => !texts.has(key)).slice(0, ASKED);
    const wish = `${lacking} ${untold} ${edition}`;
    if ((lacking.length || untold.length) && wish !== asked) {
      asked = wish;
      model.send({ event: "need", opening, tiles: untold, pictures: lacking });
    }
  };
  const keep = (key, url) => {
    pictures.set(key, url);
    for (const [old, unused] of pictures) {
      if (pictures.size <= KEPT) break;
      if (nodes.has(old)) continue;
      URL.revokeObjectURL(unused);
      pictures.delete(old);
    }
  };
  const forget = () => {
    for (const url of pictures.values()) URL.revokeObjectURL(url);
    for (const tile of nodes.values()) tile.remove();
    for (const known of [pictures, broken, texts, nodes]) known.clear();
  };
  const hear = (message, buffers) => {
    if (message.opening !== opening) return;
    if (message.event === "tiles" && message.edition === edition)
      for (const [key, ...told] of message.tiles) texts.set(key, told);
    else if (message.event === "picture" && message.why) broken.set(message.key, message.why);
    else if (message.event === "picture" && !pictures.has(message.key))
      keep(message.key, URL.createObjectURL(new Blob([buffers[0]], { type: "image/jpeg" })));
    const told = message.event === "tiles" ? message.tiles.map(([key]) => key) : [message.key];
    for (const key of told) if (nodes.has(key)) fill(nodes.get(key), key);
  };
  const changed = () => {
    if (opening !== model.get("opening")) {
      opening = model.get("opening");
      forget();
      frame.scrollTop = 0;
    }
    if (edition !== model.get("edition")) {
      edition = model.get("edition");
      texts.clear(); // what is in the page keeps its words until the new ones are here
    }
    draw();
  };
  const showChosen = () => {
    for (const [key, tile] of nodes) tile.setAttribute("aria-selected", String(key === model.get("chosen")));
    const place = model.get("shown").indexOf(model.get("chosen"));
    if (place < 0) return;
    const top = Math.floor(place / columns) * HEIGHT;
    if (top < frame.scrollTop) frame.scrollTop = top;
    else if (top + HEIGHT > frame.scrollTop + frame.clientHeight) frame.scrollTop = top + HEIGHT - frame.clientHeight;
  };
  frame.addEventListener("scroll", () => requestAnimationFrame(draw));
  frame.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns }[event.key];
    const shown = model.get("shown");
    if (step === undefined || !shown.length) return;
    event.preventDefault();
    const place = shown.indexOf(model.get("chosen"));
    const next = place < 0 ? 0 : Math.min(shown.length - 1, Math.max(0, place + step));
    model.send({ event: "look", opening, key: shown[next] });
  });
  const observer = new ResizeObserver(draw);
  observer.observe(frame);
  model.on("msg:custom", hear);
  model.on("change:shown change:edition change:opening", changed);
  model.on("change:chosen", showChosen);
  return () => {
    observer.disconnect();
    clearTimeout(timer);
    model.off("msg:custom", hear);
    model.off("change:shown change:edition change:opening", changed);
    model.off("change:chosen", showChosen);
    forget();
  };
}
export default { render };
