"use strict";
// Draws a tag graph into an element, at rest until somebody moves it. What a tag says is drawn as text, never as markup.
const drawGraph = (graph, stage, tell) => {
  const { element, shorten } = texts, MANY = 3000, BETWEEN = [122, 132, 150];
  const canvas = element("canvas", "canvas"), hover = element("div", "hover"), context = canvas.getContext("2d");
  const settings = { top: graph.drawn, leastCount: 0, leastWeight: -Infinity, hidden: new Set(), extra: new Set(), rolled: new Set(), linesPerTag: 2.5,
    places: new Map() };  // where somebody put a tag, or the places that were loaded, by `keyOf`
  const camera = { x: 0, y: 0, k: 1, width: 1, height: 1, sx: (p) => (p.x - camera.x) * camera.k + camera.width / 2, sy: (p) => (p.y - camera.y) * camera.k + camera.height / 2 };
  let view = { items: [], lines: { from: [], to: [], pair: [], bundles: [] }, placeOf: [] }, fitted = 1, crowd = 1, most = 1;
  let gl = null, glCanvas = null, weights = [0, 1], shown = [], titles = [], dead = false;
  let pointed = null, chosen = null, lit = null, marked = new Set();
  hover.hidden = true;
  stage.append(canvas, hover);

  // ---- looks ----------------------------------------------------------------------------------
  const style = {}, tints = [];
  const rgb = (colour) => [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16));
  const brightness = (colour) => {
    context.fillStyle = "#ffffff";
    context.fillStyle = colour;
    return rgb(context.fillStyle).reduce((a, b) => a + b) / 3;
  };
  function readStyle() {
    const computed = getComputedStyle(stage), value = (name, usual) => computed.getPropertyValue(name).trim() || usual;
    Object.assign(style, { ink: value("--ink", "#1d2330"), paper: value("--paper", "#ffffff"), accent: value("--mark", "#0b5a53"), font: computed.fontFamily,
      dark: brightness(value("--paper", "#ffffff")) < 110 });
    graph.communities.forEach(({ colour }, i) => { tints[i] = rgb(colour).map((c) => (style.dark ? Math.round(c + 0.35 * (255 - c)) : c)); });
  }
  const colourOf = (i) => `rgb(${tints[graph.community[i]]})`;
  const swell = () => Math.max(0.45, Math.min((camera.k / fitted) ** 0.6, Math.max(2.2, 1.3 / crowd)));
  const baseRadius = (item) => crowd * (2.4 + 9.5 * Math.sqrt(Math.min(1.7, item.count / most)));
  const share = (e) => {
    const pair = view.lines.pair[e];
    return pair < 0 ? 0.4 : Math.sqrt(Math.max(0, (graph.weight[pair] - weights[0]) / (weights[1] - weights[0] || 1)));
  };
  const isInside = (e) => view.items[view.lines.from[e]].community === view.items[view.lines.to[e]].community;
  const isFaint = (e) => graph.bonds[0] > 0 && view.lines.pair[e] >= 0 && graph.isFaint(view.lines.pair[e]);
  const look = {
    swell, baseRadius, radius: (item) => Math.max(0.8, baseRadius(item) * swell()), colour: (item) => `rgb(${tints[item.community]})`,
    tint: (item) => tints[item.community], isMarked: (item) => marked.has(item.tag),
    width: (e) => Math.max(0.4, Math.min(1, crowd * 1.6) * Math.min(1.6, swell()) * (isFaint(e) ? 0.6 : 0.6 + 3.2 * share(e))),
    dashes: (e) => [[], [8, 6], [2, 5]][graph.kind[view.lines.pair[e]] ?? 0],
    lineTint: (e) => (isInside(e) && !isFaint(e) ? tints[view.items[view.lines.from[e]].community] : BETWEEN),
    lineAlpha: (e) => (isFaint(e) ? 24 : isInside(e) ? (gl ? 40 + 60 * share(e) : 100) : gl ? 14 : 48),
    lineColour: (e) => `rgba(${look.lineTint(e)},${look.lineAlpha(e) / 255})`,
  };
  const painter = canvasPainter(context, style);

  // ---- what is drawn --------------------------------------------------------------------------
  const keyOf = (item) => (item.tag < 0 ? -1 - item.community : item.tag);
  function update(changes = {}, keepCamera = false) {
    Object.assign(settings, changes);
    const old = new Map(view.items.map((item) => [keyOf(item), item]));
    view = graph.choose(settings.top > MANY ? { ...settings, linesPerTag: 4 } : settings);
    if (view.items.length > MANY && !openGl()) {
      tell.word?.("This browser has no WebGL, so that only the most frequent tags are drawn.");
      return update({ top: arrange.MOST }, keepCamera);
    }
    if (view.items.length <= MANY) { gl = null; if (glCanvas) glCanvas.hidden = true; } else glCanvas.hidden = false;
    crowd = Math.max(0.09, Math.min(1, Math.sqrt(400 / (view.items.length + 1))));
    most = view.items.reduce((m, item) => (item.tag < 0 ? m : Math.max(m, item.count)), 8);
    weights = [Infinity, -Infinity];
    for (const e of view.lines.pair) if (e >= 0) { weights[0] = Math.min(weights[0], graph.weight[e]); weights[1] = Math.max(weights[1], graph.weight[e]); }
    measure();
    for (const item of view.items) item.r = baseRadius(item);
    const { places } = settings;
    if (!view.items.every((item) => places.has(keyOf(item)))) arrange(graph, view, camera.width, camera.height, boxOf, old.size ? old : null);
    for (const item of view.items) Object.assign(item, places.get(keyOf(item)));
    gl?.load(view, look);
    relight();
    if (!keepCamera) fit();
    redraw();
    tell.drawn?.(view);
    return view;
  }
  function openGl() {
    if (!glCanvas) {
      glCanvas = element("canvas", "canvas");
      canvas.before(glCanvas);
      glCanvas.painter = glPainter(glCanvas);
      glCanvas.addEventListener("webglcontextlost", () => { glCanvas.painter = null; update({ top: arrange.MOST }); });
    }
    gl = glCanvas.painter;
    return gl;
  }
  function measure() {
    camera.width = Math.max(1, stage.clientWidth);
    camera.height = Math.max(1, stage.clientHeight);
  }
  function fit(animate = false) {
    const { left, right, top, bottom } = arrange.bounds(view.items);
    const edge = Math.min(170, camera.width / 4);
    const k = Math.min(1.5, Math.max(80, camera.width - edge) / (right - left + 1), Math.max(80, camera.height - 60) / (bottom - top + 1));
    fitted = k;
    moveTo({ x: (left + right) / 2, y: (top + bottom) / 2, k }, animate);
  }
  let moving = 0;
  function moveTo(goal, animate) {
    cancelAnimationFrame(moving);
    if (!animate || matchMedia("(prefers-reduced-motion: reduce)").matches) { Object.assign(camera, goal); redraw(); return; }
    const from = { ...camera }, begun = performance.now();
    const step = (now) => {
      const t = Math.min(1, (now - begun) / 250), eased = t * (2 - t);
      for (const axis of ["x", "y"]) camera[axis] = from[axis] + (goal[axis] - from[axis]) * eased;
      camera.k = from.k * (goal.k / from.k) ** eased;
      redraw();
      if (t < 1) moving = requestAnimationFrame(step);
    };
    moving = requestAnimationFrame(step);
  }
  const zoom = (factor, at = { x: camera.width / 2, y: camera.height / 2 }, animate = false) => {
    const k = Math.max(fitted * 0.2, Math.min(Math.max(20, fitted * 400), camera.k * factor));
    const x = camera.x + (at.x - camera.width / 2) * (1 / camera.k - 1 / k), y = camera.y + (at.y - camera.height / 2) * (1 / camera.k - 1 / k);
    moveTo({ x, y, k }, animate);
  };
  const itemOf = (tag) => view.items[view.placeOf[tag]];
  function goTo(tag) {  // draws it if it is not drawn
    if (!itemOf(tag)) { settings.hidden.delete(tag); settings.extra.add(tag); update({}, true); }
    const item = itemOf(tag), near = view.items.length > MANY ? Math.max(camera.k, Math.min(20, 22 / neighbourDistance(item))) : Math.max(camera.k, 1.6 * fitted);
    moveTo({ x: item.x, y: item.y + covered() / 2 / near, k: near }, true);
  }
  function reveal(tag) {  // moves the view only if something lies over the tag
    const y = camera.sy(itemOf(tag)), free = camera.height - covered();
    if (y > free - 20) moveTo({ x: camera.x, y: camera.y + (y - free / 2) / camera.k, k: camera.k }, true);
  }
  const covered = () => tell.covered?.() ?? 0;  // height of what lies over the lower end
  const neighbourDistance = (item) => {
    let best = Infinity;
    for (const other of view.items) if (other !== item) best = Math.min(best, Math.hypot(other.x - item.x, other.y - item.y) || Infinity);
    return Math.max(best, 1e-3);
  };

  // ---- painting -------------------------------------------------------------------------------
  let asked = 0;
  function redraw() { if (!asked && !dead) asked = requestAnimationFrame(paint); }
  function paint() {
    asked = 0;
    if (dead) return;
    const ratio = window.devicePixelRatio || 1;
    canvas.width = Math.round(camera.width * ratio);
    canvas.height = Math.round(camera.height * ratio);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const dim = lit ? (style.dark ? 0.22 : 0.15) : 1;
    if (gl) gl.paint(camera, look, ratio, Math.round(30000 * Math.max(1, camera.k / fitted) ** 1.5), dim);
    else { painter.lines(view, camera, look, null, lit ? 0.12 : 1); painter.dots(view, camera, look, null, dim); }
    if (lit) { painter.lines(view, camera, look, lit.lines, 1); painter.dots(view, camera, look, lit.places, 1); }
    ({ shown, titles } = nameTags({ view, camera, look, graph, lit, marked, boxOf, isFar: isFar() }, context, style));
    tell.names(shown, lit ? 0 : shown.left);
    if (stage.clientWidth === camera.width && stage.clientHeight === camera.height) tell.resting();  // else it has another size soon
  }
  const isFar = () => view.items.length > 400 ? camera.k < 2.2 * fitted * Math.max(1, Math.sqrt(view.items.length / 20000)) : camera.k < 0.6 * fitted;
  const boxOf = (item) => {
    if (!item.box) {
      const size = (item.tag < 0 ? 12.5 : 10.5) + 8 * Math.sqrt(Math.min(1, item.count / most)), text = shorten(item.name, 34);
      context.font = `${size}px ${style.font}`;
      item.box = { text, size, wide: context.measureText(text).width + 4, high: size * 1.25 };
    }
    return item.box;
  };

  // ---- looking closer -------------------------------------------------------------------------
  function around(place) {
    const places = new Set([place]), lines = [];
    view.lines.from.forEach((a, e) => { const b = view.lines.to[e]; if (a === place || b === place) { lines.push(e); places.add(a).add(b); } });
    return { places, lines };
  }
  function relight() {
    const subject = pointed ?? chosen;
    lit = null;
    if (!subject) return;
    if (subject.line !== undefined) lit = { places: new Set([view.lines.from[subject.line], view.lines.to[subject.line]]), lines: [subject.line] };
    else if (subject.pair !== undefined) {
      const ends = [graph.source[subject.pair], graph.target[subject.pair]].map((tag) => view.placeOf[tag]).filter((place) => place >= 0);
      lit = { places: new Set(ends), lines: Array.from(view.lines.pair.keys()).filter((e) => view.lines.pair[e] === subject.pair) };
    } else if (subject.tag !== undefined && view.placeOf[subject.tag] >= 0) lit = around(view.placeOf[subject.tag]);
    else if (subject.communities) {
      const places = new Set(view.items.keys());
      for (const place of places) if (!subject.communities.has(view.items[place].community) && !(subject.alone && !view.items[place].lines)) places.delete(place);
      lit = { places, lines: [] };
      view.lines.from.forEach((a, e) => { if (places.has(a) && places.has(view.lines.to[e])) lit.lines.push(e); });
    }
    for (const place of view.items.keys()) if (lit && marked.has(view.items[place].tag)) lit.places.add(place);
  }
  const light = (subject) => { chosen = subject; relight(); redraw(); };
  const mark = (tags) => { marked = new Set(tags); relight(); redraw(); };
  function point(target, at) {
    const same = JSON.stringify(target) === JSON.stringify(pointed);
    pointed = target;
    stage.style.cursor = target ? "pointer" : "";
    if (!same) {
      hover.replaceChildren(...(target ? describe(target) : []));
      relight();
      redraw();
    }
    hover.hidden = !target || !hover.childNodes.length;
    if (hover.hidden) return;
    const room = camera.width - hover.offsetWidth - 6, below = at.y + 18 + hover.offsetHeight < camera.height;
    hover.style.left = `${Math.max(4, Math.min(at.x + 14, room))}px`;
    hover.style.top = `${below ? at.y + 18 : Math.max(4, at.y - 12 - hover.offsetHeight)}px`;
  }
  function describe(target) {
    if (target.tag !== undefined) return cards.tag(graph, target.tag, colourOf, () => {}, 5, 0);
    if (target.pair !== undefined) return cards.pair(graph, target.pair, colourOf, () => {}, 2);
    if (target.line !== undefined) {
      const ends = [view.lines.from, view.lines.to].map((end) => view.items[end[target.line]].name);
      return cards.bundle(view.lines.bundles[target.line], ...ends);
    }
    return cards.community(graph, target.community, colourOf, () => {}, 5);
  }

  const { hit, target } = findTargets({ camera, look, seen: () => ({ view, shown, titles, lit, isGl: gl !== null, isFar: isFar() }) });
  const stop = handlePointers(stage, canvas, { camera, hit, target, point, zoom, moveTo, redraw,
    moved: (item) => { settings.places.set(keyOf(item), { x: item.x, y: item.y }); gl?.load(view, look); },
    click: (found, many) => { if (found) tell.click(found, many); else tell.click(null, many); },
    open: (found) => { if (found?.community !== undefined) tell.open?.(found.community); else zoom(2, undefined, true); } });

  // ---- sizes and themes -----------------------------------------------------------------------
  let resized;
  const observer = new ResizeObserver(() => {
    clearTimeout(resized);
    resized = setTimeout(() => {
      if (!stage.clientWidth || (stage.clientWidth === camera.width && stage.clientHeight === camera.height)) return;
      const isLine = stage.clientWidth === camera.width && Math.abs(stage.clientHeight - camera.height) < 60;  // a line of words more below it
      const whole = !isLine && Math.abs(camera.k / fitted - 1) < 0.01;
      measure();
      if (whole && view.items.length <= MANY) { view.items = []; update(); } else if (whole) fit(); else redraw();
    }, 80);
  });
  observer.observe(stage);
  const restyle = () => { readStyle(); gl?.load(view, look); redraw(); };
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  scheme.addEventListener("change", restyle);
  const destroy = () => {
    dead = true;
    clearTimeout(resized);
    observer.disconnect();
    scheme.removeEventListener("change", restyle);
    stop();
    glCanvas?.remove();
    canvas.remove();
    hover.remove();
  };
  readStyle();
  update();
  const placeOf = (tag) => { const item = itemOf(tag); return item && { x: camera.sx(item), y: camera.sy(item) }; };
  return { graph, settings, style, camera, look, canvas, colourOf, keyOf, moveTo, update, light, mark, fit, zoom, goTo, reveal, placeOf, restyle, describe, destroy, names: () => shown, titles: () => titles,
    glCanvas: () => (gl ? glCanvas : null), view: () => view };
};
