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
    click: (target) => {
      if (!target) delete document.body.dataset.sheet;
      choose(target);
      if (target?.tag !== undefined) drawing.reveal(target.tag);
    },
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
    const details = $("details"), hadFocus = details.contains(document.activeElement);
    details.replaceChildren();
    details.hidden = !subject || subject.line !== undefined;
    if (hadFocus) (details.hidden ? $("graph") : details).focus({ preventScroll: true });
    if (details.hidden) return;
    const [word, act, tools] = subject.tag !== undefined ? ["Tag", cards.tag, [button("Hide", () => hide(subject.tag)), button("Centre", () => drawing.goTo(subject.tag))]]
      : subject.pair !== undefined ? ["Pair", cards.pair, []]
      : ["Community", cards.community, [button(drawing.settings.rolled.has(subject.community) ? "Open" : "Roll up", () => roll(subject.community))]];
    const bar = element("div", "tools");
    bar.append(element("h2", "", word), ...tools, button("Close", () => { delete document.body.dataset.sheet; choose(null); }));
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
  const groups = graph.communities.filter(({ size }) => size > 1).length;
  $("groups").textContent = `${number(groups)} of two tags or more in the whole graph${graph.modularity === undefined ? "" : `, modularity ${graph.modularity.toFixed(2)}`}`;
  $("groups").hidden = !groups;
  $("alone").addEventListener("click", () => { alone = !alone; lightMany(); });

  // ---- what is drawn --------------------------------------------------------------------------
  function showDrawn(view) {
    const many = view.items.length, lonely = view.items.filter((item) => !item.lines).length, kinds = new Set();
    let faint = false;
    for (const e of view.lines.pair) if (e >= 0) { faint ||= graph.isFaint(e); kinds.add(graph.kind[e]); }
    $("note").textContent = many === graph.drawn && !drawing.settings.hidden.size ? graph.note : `Drawn: ${number(many)} of ${number(graph.tags)} tags, ${number(view.lines.from.length)} lines.`;
    $("faint").hidden = !faint;
    $("widths").hidden = !kinds.size;
    $("alone").hidden = !lonely;
    $("alone").lastChild.textContent = `${number(lonely)} ${lonely === 1 ? "tag" : "tags"} without a pair, set aside`;
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
  const ranked = () => (ranks ??= graph.weight.slice().sort());
  const sliders = {  // the value at a place, the place of a value, what is said of it
    top: [(t) => along(t, graph.size), (value) => back(value, graph.size), number],
    leastCount: [(t) => along(t, graph.count[0] ?? 1), (value) => (value > 1 ? back(value, graph.count[0]) : 0), (value) => number(Math.max(1, value))],
    leastWeight: [(t) => (t > 0 && graph.pairs ? ranked()[Math.min(graph.pairs - 1, Math.floor(t * graph.pairs))] : -Infinity),
      (value) => (value === -Infinity ? 0 : ranked().findIndex((weight) => weight >= value) / graph.pairs), (value) => (value === -Infinity ? "any" : number(value))],
  };
  function say(name, value) {
    const [, , words] = sliders[name], slider = $(name);
    slider.nextElementSibling.textContent = words(value);
    slider.setAttribute("aria-valuetext", words(value));
  }
  function showSliders() {
    for (const [name, [, placeOf]] of Object.entries(sliders)) {
      $(name).value = 1000 * placeOf(drawing.settings[name]);
      say(name, drawing.settings[name]);
    }
  }
  for (const [name, [valueOf]] of Object.entries(sliders)) {
    let waiting;
    $(name).addEventListener("input", () => {
      const value = valueOf($(name).value / 1000);
      say(name, value);
      clearTimeout(waiting);
      waiting = setTimeout(() => { drawing.update({ [name]: value }); choose(null); }, 60);
    });
  }
  showSliders();

  // ---- search, zoom, saving -------------------------------------------------------------------
  let found = [], at = -1;
  const field = $("search");
  const close = () => { $("found").hidden = true; field.setAttribute("aria-expanded", "false"); at = -1; field.removeAttribute("aria-activedescendant"); };
  const go = (tag) => { close(); open({ tag }); };
  function mark(next) {
    const items = [...$("found").querySelectorAll("button")];
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
      const item = entry(shorten(graph.names[tag], 60), drawing.colourOf(tag), number(graph.count[tag]), () => go(tag)), option = item.firstChild;
      item.setAttribute("role", "none");
      option.id = `found-${i}`;
      option.tabIndex = -1;
      option.setAttribute("role", "option");
      option.setAttribute("aria-selected", "false");
      return item;
    }));
    if (wanted && !found.length) {
      $("found").append(element("li", "number", "No tag has this in its name."));
      $("found").firstChild.setAttribute("role", "option");
    }
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
  $("panel").addEventListener("keydown", (event) => {  // up and down in a list
    const list = event.target.closest("ul"), step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!list || !step) return;
    const all = [...list.children].map((item) => item.querySelector("button")).filter(Boolean), now = all.indexOf(event.target.closest("li").querySelector("button"));
    all[Math.max(0, Math.min(all.length - 1, now + step))].focus();
    event.preventDefault();
  });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") { close(); $("save").open = false; delete document.body.dataset.sheet; choose(null); } });
  document.addEventListener("pointerdown", (event) => { if (!event.target.closest(".search")) close(); if (!event.target.closest("#save")) $("save").open = false; });
  $("closer").addEventListener("click", () => drawing.zoom(1.4, undefined, true));
  $("further").addEventListener("click", () => drawing.zoom(1 / 1.4, undefined, true));
  $("whole").addEventListener("click", () => { choose(null); drawing.fit(true); });
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  function recolour() {
    drawing.restyle();
    for (const item of $("legend").querySelectorAll("[data-community]")) item.querySelector(".swatch").style.background = `rgb(${drawing.look.tint({ community: item.dataset.community })})`;
    showDetails();
    showDrawn(drawing.view());
  }
  scheme.addEventListener("change", recolour);
  $("theme").addEventListener("click", () => { document.documentElement.dataset.theme = drawing.style.dark ? "light" : "dark"; recolour(); });
  $("sheet").addEventListener("click", () => { if (document.body.dataset.sheet) delete document.body.dataset.sheet; else document.body.dataset.sheet = "open"; });
  for (const kind of ["png", "svg", "positions"]) $(kind).addEventListener("click", () => { $("save").open = false; saving[kind](drawing, "tags"); });

  // ---- positions that were saved --------------------------------------------------------------
  function place(saved, name) {
    choose(null);
    try {
      const missing = saving.place(drawing, saved);
      showSliders();
      $("word").textContent = missing ? `Placed ${number(saved.nodes.length - missing)} tags; ${number(missing)} of the file are not in this graph.` : "";
    } catch (error) {
      const reason = error instanceof TypeError ? "it holds no positions as this page saves them" : error.message;
      $("word").textContent = `Cannot place tags by ${shorten(name, 60)}: ${reason}.`;
    }
  }
  const load = async (file) => { if (file) place(await file.text().then(JSON.parse).catch(() => null), file.name); };
  $("load").addEventListener("click", () => { $("save").open = false; $("places").click(); });
  $("places").addEventListener("change", () => { load($("places").files[0]); $("places").value = ""; });
  $("graph").addEventListener("dragover", (event) => event.preventDefault());
  $("graph").addEventListener("drop", (event) => { event.preventDefault(); load(event.dataTransfer.files[0]); });
  if (graph.saved) place(graph.saved, "the positions given");
})();
