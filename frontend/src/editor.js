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
import { dashOfItem, pairAt } from "./levels.js";
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
  dom.append(helpOf(answer.words));
  if (isDrawn && answer.steps.length > 1) dom.append(curveOf(answer));
  return { dom };
}

function pairAtPlace(state, place) {
  const line = state.doc.lineAt(place);
  const pair = pairAt(state.doc, line.number, place - line.from);
  return pair?.key ? { ...pair, column: place - line.from, line } : null;
}

// Help on a key, or what an expression comes to; null where there is nothing to say.
async function explanationAt(state, place, language, line, isDrawn) {
  const pair = pairAtPlace(state, place);
  const entry = pair && language.entry(pair.level, pair.key);
  if (!entry) return null;
  const at = (from, to) => ({ pos: pair.line.from + from, end: pair.line.from + to, above: false });
  if (pair.column <= pair.keyFrom + pair.key.length) {
    if (pair.column < pair.keyFrom) return null;
    const create = () => ({ dom: helpOf(entry[0], pair.key) });
    return { ...at(pair.keyFrom, pair.keyFrom + pair.key.length), create };
  }
  if (pair.column < pair.from || pair.column > pair.to || !entry[2]?.length || !/[a-z]/i.test(pair.source)) return null;
  const answer = await line.ask({ event: "look", level: pair.level, name: pair.key, source: pair.source });
  return answer?.words ? { ...at(pair.from, pair.to), answer, create: () => boxOf(answer, isDrawn) } : null;
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
  model.on("change:value", take);
  model.on("change:checked", mark);
  mark();
  return () => {
    model.off("change:value", take);
    model.off("change:checked", mark);
    line.end();
    view.destroy();
  };
}
