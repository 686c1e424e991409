// The editor for experiments in YAML. What is typed goes to the kernel, which marks mistakes and computes values.
import { autocompletion, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import { bracketMatching, foldGutter, foldKeymap, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { lintGutter, lintKeymap, setDiagnostics } from "@codemirror/lint";
import { Annotation, EditorState, Prec, StateEffect, StateField } from "@codemirror/state";
import { EditorView, closeHoverTooltips, highlightActiveLineGutter, hoverTooltip, keymap, lineNumbers, showTooltip, tooltips } from "@codemirror/view";
import { curveOf } from "./curve.js";
import { Language, helpOf } from "./language.js";
import { dashOfItem, placeAt } from "./levels.js";
import { makeLine } from "./line.js";
import { colours, theme } from "./theme.js";

const LABEL = "experiment in YAML; Tab indents, Escape and then Tab leaves, Ctrl+Enter applies, Ctrl+I explains";
const fromKernel = Annotation.define();
const explain = StateEffect.define();

// A box at one place of the text, until the text changes or Escape is pressed.
const explained = StateField.define({
  create: () => null,
  update(shown, transaction) {
    for (const effect of transaction.effects) if (effect.is(explain)) return effect.value;
    return transaction.docChanged || (transaction.selection && shown) ? null : shown;
  },
  provide: (field) => showTooltip.from(field),
});

function boxOf(answer, isDrawn) {
  const dom = document.createElement("div");
  dom.className = "clipnb-curve";
  const words = helpOf(answer.words);
  const curve = isDrawn && answer.steps.length > 1 ? curveOf(answer) : null;
  dom.append(words, ...(curve ? [curve.svg] : []));
  const show = (newer) => {
    words.textContent = newer.words;
    curve?.show(newer);
  };
  return { dom, show };
}

// The key at a place whose help or value can be told: in a list of numbers that of the whole list.
function pairAtPlace(state, place, language) {
  const found = placeAt(state.doc, place);
  return [found, found.owner].find((one) => one?.key && language.entry(one.level, one.key)) ?? null;
}

// Help on a key, or what an expression comes to; null where there is nothing to say.
async function explanationAt(state, place, language, line, isDrawn) {
  const pair = pairAtPlace(state, place, language);
  if (!pair || place < pair.keyFrom) return null;
  const { level, key, keyFrom, from, to, source } = pair;
  const entry = language.entry(level, key);
  const end = keyFrom + key.length;
  if (place <= end) return { pos: keyFrom, end, above: false, create: () => ({ dom: helpOf(entry[0], key) }) };
  if (place < from || place > to || !entry[2]?.length || !/[a-z]/i.test(source)) return null;
  const question = { event: "look", level: language.whole(level), name: key, source };
  const answer = await line.ask(question);
  if (!answer?.words) return null;
  const found = { pos: from, end: to, above: false, question, answer };
  found.create = () => (found.box = boxOf(answer, isDrawn));
  return found;
}

function showMarks(view, marks) {
  const { doc } = view.state;
  const diagnostics = marks.map(([number, message, severity]) => {
    const line = doc.line(Math.max(1, Math.min(number, doc.lines)));
    const from = line.from + /^[\s-]*/.exec(line.text)[0].length;
    return { from: Math.min(from, line.to), to: line.to, severity, message };
  });
  view.dispatch(setDiagnostics(view.state, diagnostics));
}

// Put another text in, as little of it as differs, so that the cursor and folds stay.
function replaceText(view, text) {
  const old = view.state.doc.toString();
  const most = Math.min(old.length, text.length);
  let [start, end] = [0, 0];
  while (start < most && old[start] === text[start]) start += 1;
  while (end < most - start && old[old.length - 1 - end] === text[text.length - 1 - end]) end += 1;
  const changes = { from: start, to: old.length - end, insert: text.slice(start, text.length - end) };
  view.dispatch({ changes, annotations: fromKernel.of(true) });
}

// A dash typed where a list item would go on begins the next one: it goes below the dash of the item.
function beginItem({ state, dispatch }) {
  const { main } = state.selection;
  const line = state.doc.lineAt(main.head);
  if (!main.empty || line.text.trim() || main.head !== line.to) return false;
  const column = dashOfItem(state.doc, line.number, line.length);
  if (column < 0) return false;
  const insert = `${" ".repeat(column)}-`;
  const changes = { from: line.from, to: line.to, insert };
  dispatch(state.update({ changes, selection: { anchor: line.from + insert.length }, userEvent: "input.type" }));
  return true;
}

export function mount(model, el) {
  const language = new Language(model.get("language"));
  const place = document.createElement("div");
  place.className = "clipnb-editor";
  place.style.cssText = "height: 280px; min-height: 120px; resize: vertical; overflow: hidden; box-sizing: border-box";
  place.dataset.lmSuppressShortcuts = "true"; // JupyterLab's own keys stay out of it
  el.append(place);
  for (const name of ["keydown", "keypress"]) place.addEventListener(name, (event) => event.stopPropagation()); // Notebook 6

  let view;
  const refuse = (words) => showMarks(view, [[1, words, "error"]]);
  const line = makeLine(model, () => view.state.doc.toString(), refuse);

  async function explainAt(position, onlyCurves) {
    const { doc } = view.state;
    const found = await explanationAt(view.state, position, language, line, true);
    if (view.state.doc !== doc || !found || (onlyCurves && !(found.answer?.steps.length > 1))) return;
    view.dispatch({ effects: [closeHoverTooltips, explain.of(found)] });
  }
  const keys = [
    { key: "-", run: beginItem },
    { key: "Mod-Enter", run: () => line.send("apply") },
    { key: "Ctrl-Enter", run: () => line.send("apply") },
    { key: "Mod-i", run: ({ state }) => (explainAt(state.selection.main.head, false), true) },
    { key: "Escape", run: ({ state }) => state.field(explained) !== null && (view.dispatch({ effects: explain.of(null) }), true) },
  ];
  view = new EditorView({
    parent: place,
    state: EditorState.create({
      doc: model.get("value"),
      extensions: [
        Prec.high(keymap.of(keys)),
        lineNumbers(), highlightActiveLineGutter(), foldGutter(), lintGutter(), history(), bracketMatching(),
        yaml(), indentUnit.of("  "), indentOnInput(), syntaxHighlighting(colours), theme, explained,
        tooltips({ parent: document.body }),
        autocompletion({ override: [(context) => language.complete(context)], activateOnCompletion: () => true, icons: false }),
        hoverTooltip((_, position) => (view.state.field(explained) ? null : explanationAt(view.state, position, language, line))),
        keymap.of([...completionKeymap, ...historyKeymap, ...foldKeymap, ...lintKeymap, ...defaultKeymap, indentWithTab]),
        EditorView.contentAttributes.of({ "aria-label": LABEL }),
        EditorView.updateListener.of((update) => {
          const typed = update.transactions.some((one) => one.docChanged && !one.annotation(fromKernel));
          if (typed) line.typed();
        }),
        EditorView.domEventHandlers({
          blur: () => line.flush(),
          click(event) {
            const position = view.posAtCoords(event);
            if (position !== null && view.state.selection.main.empty) explainAt(position, true);
          },
        }),
      ],
    }),
  });

  const take = () => {
    const text = model.get("value");
    if (line.isOurs(text) || text === view.state.doc.toString()) return;
    line.forget();
    replaceText(view, text);
  };
  const mark = () => model.get("value") === view.state.doc.toString() && showMarks(view, model.get("marks"));
  // The value that is told goes on with the run: one question at a time, so that the kernel sets the pace.
  let isAsked = false;
  async function follow() {
    const shown = view.state.field(explained);
    if (isAsked || !shown?.question) return;
    isAsked = true;
    const step = model.get("step");
    const answer = await line.ask({ ...shown.question, draws: false });
    isAsked = false;
    if (answer?.words && view.state.field(explained) === shown) shown.box?.show(answer);
    if (model.get("step") !== step) follow();
  }
  const heard = { "change:value": take, "change:checked": mark, "change:step": follow };
  for (const [name, act] of Object.entries(heard)) model.on(name, act);
  mark();
  return () => {
    for (const [name, act] of Object.entries(heard)) model.off(name, act);
    line.end();
    view.destroy();
  };
}
