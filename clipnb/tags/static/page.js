"use strict";
(() => {
  const { element, shorten, number, entry } = texts;
  const graph = JSON.parse(document.getElementById("graph-data").textContent);
  const $ = (id) => document.getElementById(id);
  const drawing = drawGraph(vis, graph, $("graph"), {
    progress: (share) => { $("progress").value = share; },
    resting: () => { $("arranging").hidden = true; document.body.dataset.state = "rest"; },
    names: (shown, hidden) => {
      window.namesDrawn = shown;
      $("names").textContent = hidden > 0 ? `${hidden} names have no room here: zoom in, or point at a dot.` : "";
    },
    click: (id) => choose(id === null ? null : drawing.byId.get(id)),
  });
  const { ranked, colourOf, light } = drawing;

  // ---- looking closer -------------------------------------------------------------------------
  function pressed(button) {
    for (const other of document.querySelectorAll("#legend button")) other.setAttribute("aria-pressed", String(other === button));
  }
  function choose(node) {
    const details = $("details");
    details.replaceChildren();
    details.hidden = !node;
    pressed(null);
    drawing.lightAround(node?.id);
    if (!node) return;
    details.append(element("h2", "", "Tag"), element("strong", "", node.name),
      element("p", "", `${number(node.count)} times, ${number(100 * node.rank)} % of all tags`), element("h2", "", `Goes with (${graph.weight})`));
    const list = element("ul");
    for (const { node: other, link } of drawing.closest(node.id).slice(0, 15)) list.append(entry(other.name, colourOf(other), number(link.weight), () => choose(other)));
    details.append(list);
  }
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
    drawing.goTo(node.id);
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
  $("closer").addEventListener("click", () => drawing.zoom(1.4));
  $("further").addEventListener("click", () => drawing.zoom(1 / 1.4));
  $("whole").addEventListener("click", () => { choose(null); drawing.fit({ duration: 300 }); });
})();
