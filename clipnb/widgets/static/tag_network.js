const { element, entry } = texts;

async function render({ model, el }) {
  const root = element("div", "clipnb-graph"), stage = element("div", "clipnb-stage"), legend = element("ul", "clipnb-legend");
  const arranging = element("div", "clipnb-arranging", "Arranging "), progress = element("progress"), note = element("div", "clipnb-small");
  const tools = element("div", "clipnb-tools");
  arranging.append(progress);
  stage.setAttribute("role", "img");
  root.append(stage, legend, note);
  el.append(root);
  let vis, drawing = null;
  try {
    vis = await (globalThis.clipnbVis ??= loadLibrary(model));
  } catch (error) {
    globalThis.clipnbVis = undefined;
    root.textContent = `The graph cannot be drawn here (${error}); clipnb.tag_panel(..., live_graph=False) shows it as a page.`;
    return undefined;
  }
  const tool = (sign, title, act) => {
    const button = element("button", "", sign);
    button.type = "button";
    button.title = title;
    button.setAttribute("aria-label", title);
    button.addEventListener("click", () => drawing && act());
    tools.append(button);
  };
  tool("+", "Zoom in", () => drawing.zoom(1.4));
  tool("−", "Zoom out", () => drawing.zoom(1 / 1.4));
  tool("Whole", "Show the whole graph", () => { look(-1); drawing.fit({ duration: 300 }); });

  const look = (node) => model.send({ event: "look", node, turn: model.get("turn") });
  const tell = {
    progress: (share) => { progress.value = share; },
    resting: () => { arranging.hidden = true; root.dataset.state = "rest"; },
    names: (shown, hidden) => {
      stage.names = shown;
      note.textContent = `${model.get("note")}${hidden > 0 ? ` ${hidden} names have no room: zoom in, or point at a dot.` : ""}`;
    },
    click: (id, many) => {
      if (many && id !== null) model.send({ event: "pick", node: id, turn: model.get("turn") });
      else look(id ?? -1);
    },
  };
  const showLooked = () => {
    const id = model.get("looked");
    pressed(null);
    drawing?.lightAround(id);
    if (!drawing?.isResting() || !drawing.byId.has(id)) return;
    const { x, y } = drawing.placeOf(id);
    if (x < 0 || y < 0 || x > stage.clientWidth || y > stage.clientHeight) drawing.goTo(id);
  };
  const pressed = (button) => {
    for (const other of legend.querySelectorAll("button")) other.setAttribute("aria-pressed", String(other === button));
  };
  const showLegend = (graph) => {
    legend.replaceChildren();
    for (const community of graph.communities.filter((c) => c.size > 1).slice(0, 12)) {
      const item = entry(community.name.split(", ").slice(0, 2).join(", "), community.colour, String(community.size), () => {
        const button = item.firstChild, again = button.getAttribute("aria-pressed") === "true";
        pressed(again ? null : button);
        drawing.light(again ? null : new Set(graph.nodes.filter((node) => node.community === community.id).map((node) => node.id)));
      });
      item.firstChild.title = community.name;
      legend.append(item);
    }
  };
  const draw = () => {
    drawing?.destroy();
    drawing = null;
    const graph = model.get("graph");
    if (!graph.nodes?.length || !stage.clientWidth) return;
    root.dataset.state = "arranging";
    progress.value = 0;
    stage.setAttribute("aria-label", model.get("note"));
    arranging.hidden = false;
    drawing = drawGraph(vis, graph, stage, tell);
    stage.drawing = drawing;
    stage.append(tools, arranging);
    showLegend(graph);
    drawing.mark(model.get("marked"));
    showLooked();
  };
  const showMarked = () => drawing?.mark(model.get("marked"));
  const observer = new ResizeObserver(() => { if (stage.clientWidth && !drawing) draw(); });
  model.on("change:graph", draw);
  model.on("change:marked", showMarked);
  model.on("change:looked", showLooked);
  observer.observe(stage);
  return () => {
    observer.disconnect();
    model.off("change:graph", draw);
    model.off("change:marked", showMarked);
    model.off("change:looked", showLooked);
    drawing?.destroy();
  };
}
export default { render };
