const { element, entry, number } = texts;

async function render({ model, el }) {
  const root = element("div", "clipnb-graph"), stage = element("div", "clipnb-stage"), legend = element("ul", "clipnb-legend");
  const note = element("div", "clipnb-small"), tools = element("div", "clipnb-tools");
  stage.tabIndex = 0;
  stage.setAttribute("role", "application");
  root.append(stage, legend, note);
  el.append(root);
  let drawing = null, graph = null, lit = new Set(), stopped = false, turn = 0;

  const tool = (sign, title, act) => {
    const button = element("button", "", sign);
    button.type = "button";
    button.title = title;
    button.setAttribute("aria-label", title);
    button.addEventListener("click", () => drawing && act());
    tools.append(button);
  };
  tool("+", "Zoom in", () => drawing.zoom(1.4, undefined, true));
  tool("−", "Zoom out", () => drawing.zoom(1 / 1.4, undefined, true));
  tool("Whole", "Show the whole graph", () => { look(-1); drawing.fit(true); });

  const look = (node) => model.send({ event: "look", node, turn: model.get("turn") });
  const tagOf = (node) => graph.tagOf(node);
  const tell = {
    resting: () => { root.dataset.state = "rest"; },
    names: (shown, hidden) => {
      stage.names = shown.map(({ item, ...name }) => name);
      note.textContent = `${model.get("note")}${hidden > 0 ? ` ${hidden} names have no room: zoom in, or point at a dot.` : ""}`;
    },
    click: (target, many) => {
      const node = target?.tag === undefined ? -1 : graph.id[target.tag];
      if (many && node >= 0) model.send({ event: "pick", node, turn: model.get("turn") });
      else if (target && node < 0) drawing.light(target.community === undefined ? target : { communities: new Set([target.community]) });
      else look(node);
    },
  };
  const showLooked = () => {
    if (!drawing) return;
    const tag = tagOf(model.get("looked"));
    lit.clear();
    pressed();
    drawing.light(tag === undefined ? null : { tag });
    if (tag === undefined) return;
    const at = drawing.placeOf(tag);
    if (!at || at.x < 0 || at.y < 0 || at.x > stage.clientWidth || at.y > stage.clientHeight) { drawing.goTo(tag); drawing.light({ tag }); }
  };
  const pressed = () => {
    for (const item of legend.children) item.firstChild.setAttribute("aria-pressed", String(lit.has(Number(item.dataset.community))));
  };
  const showLegend = () => {
    legend.replaceChildren();
    graph.communities.forEach((community, id) => {
      if (community.size < 2 || legend.children.length >= 12) return;
      const item = entry(community.name.split(", ").slice(0, 2).join(", "), `rgb(${drawing.look.tint({ community: id })})`, number(community.size), () => {
        if (!lit.delete(id)) lit.add(id);
        pressed();
        drawing.light(lit.size ? { communities: lit } : null);
      });
      item.dataset.community = id;
      item.firstChild.title = community.name;
      legend.append(item);
    });
  };
  const draw = async () => {
    const own = ++turn, packed = model.get("graph");
    drawing?.destroy();
    drawing = stage.drawing = null;
    delete root.dataset.state;
    if (!packed?.byteLength || !stage.clientWidth) return;
    const opened = await openGraph(packed);
    if (own !== turn || stopped) return;
    graph = opened;
    lit = new Set();
    stage.setAttribute("aria-label", model.get("note"));
    drawing = drawGraph(graph, stage, tell);
    stage.drawing = { ...drawing, placeOf: (node) => drawing.placeOf(tagOf(node)) };
    stage.append(tools);
    showLegend();
    showMarked();
    showLooked();
  };
  const showMarked = () => drawing?.mark(model.get("marked").map(tagOf));
  const themes = new MutationObserver(() => { drawing?.restyle(); if (drawing) showLegend(); });
  themes.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light", "data-jp-theme-name", "class"] });
  const observer = new ResizeObserver(() => { if (stage.clientWidth && !drawing) draw(); });
  model.on("change:graph", draw);
  model.on("change:marked", showMarked);
  model.on("change:looked", showLooked);
  observer.observe(stage);
  return () => {
    stopped = true;
    observer.disconnect();
    themes.disconnect();
    model.off("change:graph", draw);
    model.off("change:marked", showMarked);
    model.off("change:looked", showLooked);
    drawing?.destroy();
  };
}
export default { render };
