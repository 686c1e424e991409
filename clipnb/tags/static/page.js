"use strict";
(() => {
  const { element, shorten, number, entry } = texts;
  const graph = JSON.parse(document.getElementById("graph-data").textContent);
  const $ = (id) => document.getElementById(id);
  const FONT = getComputedStyle(document.documentElement).fontFamily;
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
  const network = new vis.Network($("graph"), { nodes, edges }, {
    layout: { improvedLayout: false, randomSeed: 1 },
    nodes: { shape: "dot", borderWidth: 1, chosen: false },
    edges: { smooth: false, chosen: false, selectionWidth: 0, hoverWidth: 0 },
    interaction: { hover: true, hideEdgesOnDrag: graph.links.length > 4000, multiselect: false, selectConnectedEdges: false },
    physics: {
      solver: "forceAtlas2Based",
      forceAtlas2Based: { gravitationalConstant: -70, centralGravity: 0.014, springConstant: 0.07, damping: 0.6, avoidOverlap: 0.4 },
      stabilization: { iterations: Math.max(40, Math.min(400, Math.round(160000 / (graph.nodes.length + 1)))), updateInterval: 20, fit: false },
    },
  });
  const rest = () => {
    network.setOptions({ physics: false });
    spread();
    fit();
    grow(1 / network.getScale());
    requestAnimationFrame(() => network.redraw());  // what was out of sight before is drawn from the second time on
    $("arranging").hidden = true;
    document.body.dataset.state = "rest";
  };
  network.on("stabilizationProgress", (event) => { $("progress").value = event.iterations / event.total; });
  if (graph.nodes.length) network.once("stabilizationIterationsDone", rest); else rest();

  function span(places, axis) {
    return Object.values(places).reduce((s, at) => [Math.min(s[0], at[axis]), Math.max(s[1], at[axis])], [Infinity, -Infinity]);
  }
  function fit(animation = false) {
    if (!graph.nodes.length) return;
    const stage = $("graph"), places = network.getPositions(), [left, right] = span(places, "x"), [top, bottom] = span(places, "y");
    const scale = Math.min(1.5, Math.max(80, stage.clientWidth - 190) / (right - left + 1), Math.max(80, stage.clientHeight - 60) / (bottom - top + 1));
    network.moveTo({ position: { x: (left + right) / 2, y: (top + bottom) / 2 }, scale, animation });
  }

  function grow(to) {
    unit = to;
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
    const stage = $("graph"), places = network.getPositions(), ids = ranked.map((node) => node.id);
    const extent = () => { const x = span(places, "x"), y = span(places, "y"); return [x[1] - x[0] + 1, y[1] - y[0] + 1]; };
    let [wide, high] = extent();
    const stretch = Math.max(0.5, Math.min(2.2, (stage.clientWidth / stage.clientHeight) * (high / wide)));
    for (const id of ids) places[id].x *= stretch;
    let room = 0.5 * stage.clientWidth * stage.clientHeight;
    const boxes = ids.map((id) => {
      const { wide, high } = label.get(id);
      room -= wide * high;
      return room > 0 ? { wide, high: high + 4 } : { wide: 9, high: 9 };
    });
    for (let round = 0; round < (ids.length <= 700 ? 120 : 0); round++) {
      [wide, high] = extent();
      const pixel = Math.max(wide / (stage.clientWidth - 190), high / (stage.clientHeight - 60), 0.6);
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
  let focus = null, hovered = null;
  const clash = (box, boxes) => boxes.some((o) => box.x < o.x + o.w && o.x < box.x + box.w && box.y < o.y + o.h && o.y < box.y + box.h);
  function drawNames(context) {
    const scale = network.getScale(), ratio = network.canvas.pixelRatio, stage = $("graph");
    const places = network.getPositions(), dots = [], taken = [], shown = [];
    const visible = [];
    for (const node of ranked) {
      const at = network.canvasToDOM(places[node.id]), r = radius(node) * scale;
      if (at.x < -60 || at.y < -20 || at.x > stage.clientWidth + 60 || at.y > stage.clientHeight + 20) continue;
      visible.push({ node, at, r });
      if (dots.length < 1500) dots.push({ id: node.id, x: at.x - r * 0.7, y: at.y - r * 0.7, w: r * 1.4, h: r * 1.4 });
    }
    const first = (item) => (item.node.id === hovered ? 2 : focus?.has(item.node.id) ? 1 : 0);
    visible.sort((a, b) => first(b) - first(a));
    for (const { node, at, r } of visible.slice(0, 600)) {
      if (focus && !focus.has(node.id) && node.id !== hovered) continue;
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
      shown.push({ text, size, spot, at });
    }
    context.save();
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.textBaseline = "middle";
    context.lineJoin = "round";
    for (const { text, size, spot } of shown) {
      context.font = `${size}px ${FONT}`;
      context.lineWidth = 3.5;
      context.strokeStyle = "#ffffffe6";
      context.strokeText(text, spot.x + 2, spot.y + spot.h / 2);
      context.fillStyle = "#1d2330";
      context.fillText(text, spot.x + 2, spot.y + spot.h / 2);
    }
    context.restore();
    window.namesDrawn = shown.map(({ text, spot, at }) => ({ text, ...spot, at }));
    const hidden = visible.length - shown.length;
    $("names").textContent = !focus && hidden > 0 ? `${hidden} names have no room here: zoom in, or point at a dot.` : "";
  }
  network.on("afterDrawing", (context) => { if (document.body.dataset.state === "rest") drawNames(context); });

  // ---- looking closer -------------------------------------------------------------------------
  function light(ids) {
    focus = ids;
    nodes.update(ranked.map((node) => ({ id: node.id, opacity: !ids || ids.has(node.id) ? 1 : 0.12 })));
    edges.update(graph.links.map((link, i) => {
      const lit = !ids || (ids.has(link.source) && ids.has(link.target));
      return { id: i, color: lit ? edgeColour(link) : "#7a84960d" };
    }));
  }
  function pressed(button) {
    for (const other of document.querySelectorAll("#legend button")) other.setAttribute("aria-pressed", String(other === button));
  }
  function choose(node) {
    const details = $("details");
    details.replaceChildren();
    details.hidden = !node;
    pressed(null);
    if (!node) { light(null); network.unselectAll(); return; }
    const near = [...around.get(node.id)].sort((a, b) => b.link.weight - a.link.weight);
    details.append(element("h2", "", "Tag"), element("strong", "", node.name),
      element("p", "", `${number(node.count)} times, ${number(100 * node.rank)} % of all tags`), element("h2", "", `Goes with (${graph.weight})`));
    const list = element("ul");
    for (const { node: other, link } of near.slice(0, 15)) list.append(entry(other.name, colourOf(other), number(link.weight), () => choose(other)));
    details.append(list);
    light(new Set([node.id, ...near.map((item) => item.node.id)]));
    network.selectNodes([node.id]);
  }
  network.on("click", (event) => choose(event.nodes.length ? byId.get(event.nodes[0]) : null));
  network.on("hoverNode", (event) => {
    const node = byId.get(event.node), at = network.canvasToDOM(network.getPosition(event.node)), box = $("hover");
    hovered = event.node;
    box.textContent = `${node.name}\n${number(node.count)} times, ${around.get(node.id).length} lines`;
    box.style.left = `${Math.max(4, Math.min(at.x + 14, $("graph").clientWidth - 330))}px`;
    box.style.top = `${at.y + 16}px`;
    box.hidden = false;
  });
  network.on("blurNode", () => { hovered = null; $("hover").hidden = true; });

  for (const community of graph.communities.filter((c) => c.size > 1 || graph.communities.length <= 12)) {
    const item = entry(community.name, community.colour, String(community.size), () => {
      const button = item.firstChild, again = button.getAttribute("aria-pressed") === "true";
      choose(null);
      if (again) return;
      pressed(button);
      light(new Set(graph.nodes.filter((node) => node.community === community.id).map((node) => node.id)));
    });
    $("legend").append(item);
  }
  if (!$("legend").children.length) $("legend").append(element("li", "number", "No tags stand together more than by chance."));
  const kinds = new Set(graph.links.map((link) => link.kind));
  if (kinds.has("contained")) $("kinds").append(element("li", "", "dashed: one tag contains the other"));
  if (kinds.has("meaning")) $("kinds").append(element("li", "", "dotted: alike in meaning, seldom together"));

  // ---- search, zoom ---------------------------------------------------------------------------
  const fold = (text) => text.toLowerCase().normalize("NFKC");
  let matches = [];
  const go = (node) => {
    $("found").hidden = true;
    choose(node);
    network.focus(node.id, { scale: Math.max(1.8 / unit, network.getScale()), animation: { duration: 350 } });
  };
  $("search").addEventListener("input", () => {
    const wanted = fold($("search").value.trim());
    matches = wanted ? ranked.filter((node) => fold(node.name).includes(wanted)) : [];
    matches.sort((a, b) => fold(b.name).startsWith(wanted) - fold(a.name).startsWith(wanted));
    $("found").replaceChildren(...matches.slice(0, 30).map((node) => entry(shorten(node.name, 60), colourOf(node), number(node.count), () => go(node))));
    if (wanted && !matches.length) $("found").append(element("li", "number", "No drawn tag has this in its name."));
    $("found").hidden = !wanted;
    if (!wanted) choose(null);
  });
  $("search").addEventListener("keydown", (event) => { if (event.key === "Enter" && matches.length) go(matches[0]); });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") { $("found").hidden = true; choose(null); } });
  const zoom = (factor) => network.moveTo({ scale: network.getScale() * factor, animation: { duration: 200 } });
  $("closer").addEventListener("click", () => zoom(1.4));
  $("further").addEventListener("click", () => zoom(1 / 1.4));
  $("whole").addEventListener("click", () => { choose(null); fit({ duration: 300 }); });
  window.addEventListener("resize", () => { if (document.body.dataset.state === "rest") fit(); });
})();
