"use strict";
// Draws a tag graph into an element: arranged, at rest, readable. What a tag says is drawn as text, never as markup.
const drawGraph = (vis, graph, stage, tell) => {
  const { element, shorten, number } = texts;
  const FONT = getComputedStyle(stage).fontFamily;
  const byId = new Map(graph.nodes.map((node) => [node.id, node]));
  const around = new Map(graph.nodes.map((node) => [node.id, []]));
  for (const link of graph.links) {
    around.get(link.source).push({ node: byId.get(link.target), link });
    around.get(link.target).push({ node: byId.get(link.source), link });
  }
  const ranked = [...graph.nodes].sort((a, b) => b.count - a.count);
  const colourOf = (node) => graph.communities[node.community].colour;

  // ---- sizes, starting places -----------------------------------------------------------------
  const most = Math.max(1, ...graph.nodes.map((node) => node.count));
  const crowd = Math.max(0.3, Math.min(1, Math.sqrt(400 / graph.nodes.length)));
  let unit = 1;  // of the network's own scale, so that sizes are pixels once all is fitted in
  const radius = (node) => unit * crowd * (2.4 + 9.5 * Math.sqrt(node.count / most));
  const fontSize = (node) => 10.5 + 8 * Math.sqrt(node.count / most);
  const weights = graph.links.map((link) => link.weight);
  const least = weights.reduce((a, b) => Math.min(a, b), Infinity), greatest = weights.reduce((a, b) => Math.max(a, b), -Infinity);
  const width = (link) => unit * crowd * (0.5 + 3 * Math.sqrt((link.weight - least) / (greatest - least || 1)));
  const spiral = (i, step) => ({ x: step * Math.sqrt(i) * Math.cos(2.4 * i), y: step * Math.sqrt(i) * Math.sin(2.4 * i) });
  const seen = new Map();
  const start = (node) => {
    const place = seen.get(node.community) ?? 0;
    seen.set(node.community, place + 1);
    const centre = spiral(node.community, 260), own = spiral(place, 30);
    return { x: centre.x + own.x, y: centre.y + own.y };
  };

  // ---- the network ----------------------------------------------------------------------------
  const faded = (colour, opacity) => colour + Math.round(255 * opacity).toString(16).padStart(2, "0");
  const edgeColour = (link) => {
    const from = byId.get(link.source), to = byId.get(link.target);
    return from.community === to.community ? faded(colourOf(from), 0.38) : "#7a849626";
  };
  const nodes = new vis.DataSet(ranked.map((node) => ({ id: node.id, size: radius(node), color: { background: colourOf(node), border: "#fff" }, ...start(node) })));
  const edges = new vis.DataSet(graph.links.map((link, i) => {
    const inside = byId.get(link.source).community === byId.get(link.target).community;
    return { id: i, from: link.source, to: link.target, width: width(link), color: edgeColour(link), length: inside ? 55 : 260, physics: inside,
             dashes: link.kind === "contained" ? [8, 6] : link.kind === "meaning" ? [2, 6] : false };
  }));
  const canvas = element("div", "canvas"), hover = element("div", "hover");
  hover.hidden = true;
  stage.append(canvas, hover);
  const network = new vis.Network(canvas, { nodes, edges }, {
    layout: { improvedLayout: false, randomSeed: 1 },
    nodes: { shape: "dot", borderWidth: 1, borderWidthSelected: 3, chosen: false },
    edges: { smooth: false, chosen: false, selectionWidth: 0, hoverWidth: 0 },
    interaction: { hover: true, hideEdgesOnDrag: graph.links.length > 4000, multiselect: false, selectConnectedEdges: false },
    physics: {
      solver: "forceAtlas2Based",
      forceAtlas2Based: { gravitationalConstant: -70, centralGravity: 0.014, springConstant: 0.07, damping: 0.6, avoidOverlap: 0.4 },
      stabilization: { iterations: Math.max(40, Math.min(400, Math.round(160000 / (graph.nodes.length + 1)))), updateInterval: 20, fit: false },
    },
  });
  let resting = false;
  const rest = () => {
    network.setOptions({ physics: false });
    spread();
    fill();
    requestAnimationFrame(() => network.redraw());  // what was out of sight before is drawn from the second time on
    resting = true;
    tell.resting();
  };
  let resized;
  network.on("resize", () => {  // sizes come in series, and after each the network restores a view of its own
    clearTimeout(resized);
    resized = setTimeout(() => {
      if (!resting || !stage.clientWidth) return;
      fill();
      network.redraw();
    }, 80);
  });
  network.on("stabilizationProgress", (event) => tell.progress(event.iterations / event.total));
  if (graph.nodes.length) network.once("stabilizationIterationsDone", rest); else rest();

  function span(places, axis) {
    return Object.values(places).reduce((s, at) => [Math.min(s[0], at[axis]), Math.max(s[1], at[axis])], [Infinity, -Infinity]);
  }
  function fit(animation = false) {
    if (!graph.nodes.length) return;
    const places = network.getPositions(), [left, right] = span(places, "x"), [top, bottom] = span(places, "y");
    const scale = Math.min(1.5, Math.max(80, stage.clientWidth - 190) / (right - left + 1), Math.max(80, stage.clientHeight - 60) / (bottom - top + 1));
    network.moveTo({ position: { x: (left + right) / 2, y: (top + bottom) / 2 }, scale, animation });
  }
  function fill() {  // all of it, with dots and lines as large as they should be on the screen
    fit();
    unit = 1 / network.getScale();
    nodes.update(ranked.map((node) => ({ id: node.id, size: radius(node) })));
    edges.update(graph.links.map((link, i) => ({ id: i, width: width(link) })));
  }

  // ---- room for the names ---------------------------------------------------------------------
  const pen = document.createElement("canvas").getContext("2d");
  const label = new Map(graph.nodes.map((node) => {
    const text = shorten(node.name, 34), size = fontSize(node);
    pen.font = `${size}px ${FONT}`;
    return [node.id, { text, size, wide: pen.measureText(text).width + 4, high: size * 1.25 }];
  }));
  function spread() {
    const places = network.getPositions(), ids = ranked.map((node) => node.id);
    const extent = () => { const x = span(places, "x"), y = span(places, "y"); return [x[1] - x[0] + 1, y[1] - y[0] + 1]; };
    let [wide, high] = extent();
    const across = Math.max(400, stage.clientWidth), down = Math.max(200, stage.clientHeight);  // a hidden stage has no size
    const stretch = Math.max(0.5, Math.min(2.2, (across / down) * (high / wide)));
    for (const id of ids) places[id].x *= stretch;
    let room = 0.5 * across * down;
    const boxes = ids.map((id) => {
      const { wide, high } = label.get(id);
      room -= wide * high;
      return room > 0 ? { wide, high: high + 4 } : { wide: 9, high: 9 };
    });
    for (let round = 0; round < (ids.length <= 700 ? 120 : 0); round++) {
      [wide, high] = extent();
      const pixel = Math.max(wide / (across - 190), high / (down - 60), 0.6);
      if (!pushApart(ids.map((id) => places[id]), boxes, pixel)) break;
    }
    nodes.update(ids.map((id) => ({ id, x: places[id].x, y: places[id].y })));
  }
  function pushApart(places, boxes, pixel) {
    let moved = false;
    for (let i = 0; i < places.length; i++) for (let j = i + 1; j < places.length; j++) {
      const p = places[i], q = places[j], dx = q.x - p.x, dy = q.y - p.y;
      const overX = ((boxes[i].wide + boxes[j].wide) / 2) * pixel - Math.abs(dx);
      const overY = ((boxes[i].high + boxes[j].high) / 2) * pixel - Math.abs(dy);
      if (overX <= 0 || overY <= 0) continue;
      moved = true;
      if (overX < overY) { const push = 0.25 * overX * (dx < 0 ? -1 : 1); p.x -= push; q.x += push; }
      else { const push = 0.25 * overY * (dy < 0 ? -1 : 1); p.y -= push; q.y += push; }
    }
    return moved;
  }

  // ---- names: as many as have room, the most frequent first, none over another -----------------
  let focus = null, hovered = null, marked = new Set();
  const clash = (box, boxes) => boxes.some((o) => box.x < o.x + o.w && o.x < box.x + box.w && box.y < o.y + o.h && o.y < box.y + box.h);
  function placeNames(visible, dots) {
    const taken = [], shown = [];
    for (const { node, at, r } of visible) {
      if (focus && !focus.has(node.id) && !marked.has(node.id) && node.id !== hovered) continue;
      const { text, size, wide, high } = label.get(node.id);
      const spots = [
        { x: at.x + r + 2, y: at.y - high / 2 }, { x: at.x - wide / 2, y: at.y + r + 1 },
        { x: at.x - r - wide - 2, y: at.y - high / 2 }, { x: at.x - wide / 2, y: at.y - r - high - 1 },
      ].map((spot) => ({ ...spot, w: wide, h: high }));
      const others = dots.filter((dot) => dot.id !== node.id);
      const free = spots.filter((s) => !clash(s, taken));
      const inside = free.filter((s) => s.x >= 0 && s.y >= 0 && s.x + s.w <= stage.clientWidth && s.y + s.h <= stage.clientHeight);
      const spot = inside.find((s) => !clash(s, others)) ?? inside[0] ?? free[0];
      if (!spot) continue;
      taken.push(spot);
      shown.push({ id: node.id, text, size, spot, at });
    }
    return shown;
  }
  function drawNames(context) {
    const scale = network.getScale(), ratio = network.canvas.pixelRatio, places = network.getPositions();
    const dots = [], visible = [];
    for (const node of ranked) {
      const at = network.canvasToDOM(places[node.id]), r = radius(node) * scale;
      if (at.x < -60 || at.y < -20 || at.x > stage.clientWidth + 60 || at.y > stage.clientHeight + 20) continue;
      visible.push({ node, at, r });
      if (dots.length < 1500) dots.push({ id: node.id, x: at.x - r * 0.7, y: at.y - r * 0.7, w: r * 1.4, h: r * 1.4 });
    }
    const first = ({ node: { id } }) => (id === hovered ? 3 : marked.has(id) ? 2 : focus?.has(id) ? 1 : 0);
    visible.sort((a, b) => first(b) - first(a));
    const shown = placeNames(visible.slice(0, 600), dots);
    context.save();
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.textBaseline = "middle";
    context.lineJoin = "round";
    for (const { id, text, size, spot } of shown) {
      context.font = `${size}px ${FONT}`;
      context.lineWidth = 3.5;
      context.strokeStyle = "#ffffffe6";
      context.strokeText(text, spot.x + 2, spot.y + spot.h / 2);
      context.fillStyle = marked.has(id) ? "#0b5a53" : "#1d2330";
      context.fillText(text, spot.x + 2, spot.y + spot.h / 2);
    }
    context.restore();
    tell.names(shown.map(({ id, text, spot, at }) => ({ id, text, ...spot, at })), focus ? 0 : visible.length - shown.length);
  }
  network.on("afterDrawing", (context) => { if (resting) drawNames(context); });

  // ---- looking closer -------------------------------------------------------------------------
  function light(ids) {
    focus = ids;
    nodes.update(ranked.map((node) => ({ id: node.id, opacity: !ids || ids.has(node.id) || marked.has(node.id) ? 1 : 0.12 })));
    edges.update(graph.links.map((link, i) => {
      const lit = !ids || (ids.has(link.source) && ids.has(link.target));
      return { id: i, color: lit ? edgeColour(link) : "#7a84960d" };
    }));
  }
  function lightAround(id) {
    light(byId.has(id) ? new Set([id, ...around.get(id).map((item) => item.node.id)]) : null);
    if (byId.has(id)) network.selectNodes([id]); else network.unselectAll();
  }
  function mark(ids) {
    marked = new Set(ids);
    nodes.update(ranked.map((node) => ({ id: node.id, borderWidth: marked.has(node.id) ? 3 : 1,
      color: { background: colourOf(node), border: marked.has(node.id) ? "#0b5a53" : "#fff" } })));
    light(focus);
  }
  const closest = (id) => [...around.get(id)].sort((a, b) => b.link.weight - a.link.weight);
  const zoom = (factor) => network.moveTo({ scale: network.getScale() * factor, animation: { duration: 200 } });
  const goTo = (id) => byId.has(id) && network.focus(id, { scale: Math.max(1.8 / unit, network.getScale()), animation: { duration: 350 } });
  network.on("click", (event) => {
    const { ctrlKey, metaKey, shiftKey } = event.event?.srcEvent ?? {};
    tell.click(event.nodes[0] ?? null, Boolean(ctrlKey || metaKey || shiftKey));
  });
  network.on("hoverNode", (event) => {
    const node = byId.get(event.node), at = network.canvasToDOM(network.getPosition(event.node));
    hovered = event.node;
    hover.textContent = `${node.name}\n${number(node.count)} times, ${around.get(node.id).length} lines`;
    hover.style.left = `${Math.max(4, Math.min(at.x + 14, stage.clientWidth - 330))}px`;
    hover.style.top = `${at.y + 16}px`;
    hover.hidden = false;
  });
  network.on("blurNode", () => { hovered = null; hover.hidden = true; });
  const placeOf = (id) => network.canvasToDOM(network.getPosition(id));
  const destroy = () => { clearTimeout(resized); network.destroy(); canvas.remove(); hover.remove(); };
  return { ranked, byId, colourOf, closest, light, lightAround, mark, fit, zoom, goTo, placeOf, destroy, isResting: () => resting };
};
