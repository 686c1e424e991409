"use strict";
(async () => {
  const { element, shorten, number, entry } = texts;
  const $ = (id) => document.getElementById(id);
  const text = $("graph-data").textContent.trim();
  const packed = Uint8Array.fromBase64 ? Uint8Array.fromBase64(text) : Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
  const graph = await openGraph(packed), lit = new Set();
  let subject = null, alone = false;
  const drawing = drawGraph(graph, $("graph"), {
    resting: () => { document.body.dataset.state = "rest"; },
    names: (shown, hidden) => {
      window.namesDrawn = shown;
      $("names").textContent = hidden > 0 ? `${hidden} names have no room here: zoom in, or point at a dot.` : "";
    },
    click: (target) => choose(target),
    open: (community) => roll(community, false),
    covered: () => (matchMedia("(max-width: 760px)").matches ? $("panel").offsetHeight : 0),
    word: (word) => { $("word").textContent = word; },
    drawn: (view) => queueMicrotask(() => showDrawn(view)),
  });
  window.drawing = drawing;

  // ---- looking closer -------------------------------------------------------------------------
  const button = (label, act) => {
    const made = element("button", "small", label);
    made.type = "button";
    made.addEventListener("click", act);
    return made;
  };
  function choose(target) {
    subject = target;
    lit.clear();
    alone = false;
    pressed();
    drawing.light(target?.community !== undefined ? { communities: new Set([target.community]) } : target);
    showDetails();
  }
  function showDetails() {
    const details = $("details");
    details.replaceChildren();
    details.hidden = !subject || subject.line !== undefined;
    if (details.hidden) return;
    const [word, act, tools] = subject.tag !== undefined ? ["Tag", cards.tag, [button("Hide", () => hide(subject.tag)), button("Centre", () => drawing.goTo(subject.tag))]]
      : subject.pair !== undefined ? ["Pair", cards.pair, []]
      : ["Community", cards.community, [button(drawing.settings.rolled.has(subject.community) ? "Open" : "Roll up", () => roll(subject.community))]];
    const bar = element("div", "tools");
    bar.append(element("h2", "", word), ...tools, button("Close", () => choose(null)));
    details.append(bar, ...act(graph, subject.tag ?? subject.pair ?? subject.community, drawing.colourOf, open));
    document.body.dataset.sheet = "open";
    details.parentElement.scrollTop = 0;
  }
  function open(target) {  // draws a tag that is not drawn
    choose(target);  // which opens the panel that covers some of the stage
    if (target.tag === undefined) return;
    drawing.goTo(target.tag);
    drawing.light(target);
  }
  function hide(tag) {
    drawing.settings.hidden.add(tag);
    drawing.settings.extra.delete(tag);
    choose(null);
    drawing.update({}, true);
  }
  function roll(community, rolled = !drawing.settings.rolled.has(community)) {
    if (rolled) drawing.settings.rolled.add(community); else drawing.settings.rolled.delete(community);
    choose(null);
    drawing.update();
  }
  function pressed() {
    for (const item of $("legend").children) item.firstChild?.setAttribute?.("aria-pressed", String(lit.has(Number(item.dataset.community))));
    $("alone").setAttribute("aria-pressed", String(alone));
  }
  function lightMany() {
    subject = null;
    showDetails();
    pressed();
    drawing.light(lit.size || alone ? { communities: lit, alone } : null);
  }
  graph.communities.forEach((community, id) => {
    if (community.size < 2 || $("legend").children.length >= 40) return;
    const item = entry(community.name, `rgb(${drawing.look.tint({ community: id })})`, number(community.size), () => {
      if (!lit.delete(id)) lit.add(id);
      lightMany();
    });
    const fold = button("", () => roll(id));
    fold.className = "fold";
    item.dataset.community = id;
    item.append(fold);
    $("legend").append(item);
  });
  if (!$("legend").children.length) $("legend").append(element("li", "number", "No tags stand together more than by chance."));
  pressed();
  $("alone").addEventListener("click", () => { alone = !alone; lightMany(); });

  // ---- what is drawn --------------------------------------------------------------------------
  function showDrawn(view) {
    const many = view.items.length, faint = view.lines.pair.some((e) => e >= 0 && graph.isFaint(e)), lonely = view.items.filter((item) => !item.lines).length;
    $("note").textContent = many === graph.drawn && !drawing.settings.hidden.size ? graph.note : `Drawn: ${number(many)} of ${number(graph.tags)} tags, ${number(view.lines.from.length)} lines.`;
    $("faint").hidden = !faint;
    $("alone").hidden = !lonely;
    $("alone").lastChild.textContent = `${number(lonely)} ${lonely === 1 ? "tag" : "tags"} without a pair, set aside`;
    const kinds = new Set(view.lines.pair.map((e) => graph.kind[e] ?? 0));
    $("contained").hidden = !kinds.has(1);
    $("meaning").hidden = !kinds.has(2);
    showScale(view);
    showList(view);
  }
  function showScale(view) {
    const counts = view.items.filter((item) => item.tag >= 0).map((item) => item.count), most = Math.max(1, ...counts.slice(0, 1)), sizes = $("sizes");
    sizes.replaceChildren(...[...new Set([most, Math.ceil(most / 10), Math.ceil(most / 100)])].map((count) => {
      const one = element("span"), dot = element("i"), r = Math.max(1, drawing.look.baseRadius({ count }));
      dot.style.width = dot.style.height = `${2 * r}px`;
      one.append(dot, document.createTextNode(number(count)));
      return one;
    }));
    for (const item of $("legend").children) {
      const fold = item.querySelector(".fold"), rolled = drawing.settings.rolled.has(Number(item.dataset.community));
      if (!fold) continue;
      fold.textContent = rolled ? "open" : "roll up";
      fold.setAttribute("aria-label", `${rolled ? "Open" : "Roll up"} ${item.querySelector(".name").textContent}`);
    }
    $("shown-again").replaceChildren(...[...drawing.settings.hidden].map((tag) => entry(graph.names[tag], drawing.colourOf(tag), "show", () => {
      drawing.settings.hidden.delete(tag);
      open({ tag });
    })));
    $("hidden").hidden = !drawing.settings.hidden.size;
  }
  function showList(view) {
    if (!$("list").open) return;
    $("tags").replaceChildren(...view.items.slice(0, 500).map((item) => {
      const target = item.tag < 0 ? { community: item.community } : { tag: item.tag };
      const line = entry(item.name, drawing.look.colour(item), number(item.count), () => open(target));
      line.firstChild.addEventListener("focus", () => { drawing.light(target.tag === undefined ? { communities: new Set([target.community]) } : target); });
      return line;
    }));
    if (view.items.length > 500) $("tags").append(element("li", "number", "and more: search for them"));
  }
  $("list").addEventListener("toggle", () => showList(drawing.view()));
  const along = (t, most) => Math.max(1, Math.round(Math.exp(t * Math.log(most)))), back = (value, most) => (most > 1 ? Math.log(value) / Math.log(most) : 1);
  let ranks = null;
  const sliders = {
    top: [(t) => along(t, graph.size), (value) => number(value), back(graph.drawn, graph.size)],
    leastCount: [(t) => along(t, graph.count[0] ?? 1), (value) => number(value), 0],
    leastWeight: [(t) => {
      ranks ??= graph.weight.slice().sort();
      return t > 0 ? ranks[Math.min(ranks.length - 1, Math.floor(t * ranks.length))] : -Infinity;
    }, (value) => (value === -Infinity || value === undefined ? "any" : number(value)), 0],
  };
  for (const [name, [valueOf, say, begin]] of Object.entries(sliders)) {
    const slider = $(name), told = slider.nextElementSibling;
    slider.value = 1000 * begin;
    told.textContent = say(name === "top" ? graph.drawn : valueOf(begin));
    let waiting;
    slider.addEventListener("input", () => {
      const value = valueOf(slider.value / 1000);
      told.textContent = say(value);
      slider.setAttribute("aria-valuetext", say(value));
      clearTimeout(waiting);
      waiting = setTimeout(() => { drawing.update({ [name]: value ?? -Infinity }); choose(null); }, 60);
    });
  }

  // ---- search, zoom, saving -------------------------------------------------------------------
  let found = [], at = -1;
  const field = $("search");
  const close = () => { $("found").hidden = true; field.setAttribute("aria-expanded", "false"); at = -1; field.removeAttribute("aria-activedescendant"); };
  const go = (tag) => { close(); open({ tag }); };
  function mark(next) {
    const items = [...$("found").children];
    items[at]?.setAttribute("aria-selected", "false");
    at = (next + found.length) % found.length;
    items[at].setAttribute("aria-selected", "true");
    items[at].scrollIntoView({ block: "nearest" });
    field.setAttribute("aria-activedescendant", items[at].id);
  }
  field.addEventListener("input", () => {
    found = graph.search(field.value);
    const wanted = field.value.trim();
    at = -1;
    $("found").replaceChildren(...found.map((tag, i) => {
      const item = entry(shorten(graph.names[tag], 60), drawing.colourOf(tag), number(graph.count[tag]), () => go(tag));
      item.id = `found-${i}`;
      item.setAttribute("role", "option");
      item.firstChild.tabIndex = -1;
      return item;
    }));
    if (wanted && !found.length) $("found").append(element("li", "number", "No tag has this in its name."));
    $("found").hidden = !wanted;
    field.setAttribute("aria-expanded", String(Boolean(wanted)));
    if (!wanted) choose(null);
  });
  field.addEventListener("keydown", (event) => {
    if (!found.length || $("found").hidden) return;
    if (event.key === "ArrowDown") mark(at + 1);
    else if (event.key === "ArrowUp") mark(at < 0 ? -1 : at - 1);
    else if (event.key === "Enter") go(found[Math.max(0, at)]);
    else return;
    event.preventDefault();
  });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") { close(); $("save").open = false; delete document.body.dataset.sheet; choose(null); } });
  document.addEventListener("pointerdown", (event) => { if (!event.target.closest(".search")) close(); if (!event.target.closest("#save")) $("save").open = false; });
  $("closer").addEventListener("click", () => drawing.zoom(1.4, undefined, true));
  $("further").addEventListener("click", () => drawing.zoom(1 / 1.4, undefined, true));
  $("whole").addEventListener("click", () => { choose(null); drawing.fit(true); });
  $("sheet").addEventListener("click", () => { if (document.body.dataset.sheet) delete document.body.dataset.sheet; else document.body.dataset.sheet = "open"; });
  for (const kind of ["png", "svg", "positions"]) $(kind).addEventListener("click", () => { $("save").open = false; saving[kind](drawing, "tags"); });
})();
