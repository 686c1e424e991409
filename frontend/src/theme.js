// Colours of the page around: VS Code's where it is that, else JupyterLab's, else a light page's.
import { HighlightStyle } from "@codemirror/language";
import { EditorView } from "@codemirror/view";
import { tags } from "@lezer/highlight";

const INK = "var(--vscode-editor-foreground, var(--jp-content-font-color1, #212121))";
const SOFT = "var(--vscode-descriptionForeground, var(--jp-content-font-color2, #5f6368))";
const PAPER = "var(--vscode-editor-background, var(--jp-layout-color0, #fff))";
const RAISED = "var(--vscode-editorWidget-background, var(--jp-layout-color1, #fff))";
const LINE = "var(--vscode-editorWidget-border, var(--jp-border-color1, #bdbdbd))";
const FONT = "var(--vscode-editor-font-family, var(--jp-code-font-family, monospace))";
const TEXT = "var(--vscode-font-family, var(--jp-ui-font-family, sans-serif))";

export const theme = EditorView.theme({
  "&.cm-editor": { color: INK, backgroundColor: PAPER, border: `1px solid ${LINE}`, borderRadius: "5px", fontSize: "12px",
    height: "100%" },
  "&.cm-focused": { outline: "2px solid var(--vscode-focusBorder, var(--jp-brand-color1, #1976d2))",
    outlineOffset: "-1px" },
  ".cm-scroller": { fontFamily: FONT, lineHeight: "1.45", overflow: "auto" },
  ".cm-content": { caretColor: INK, minWidth: "0" },
  ".cm-gutters": { color: SOFT, backgroundColor: PAPER, border: "none" },
  ".cm-lineNumbers .cm-gutterElement": { minWidth: "22px" },
  ".cm-gutter-lint": { width: "14px" },
  ".cm-gutter-lint .cm-gutterElement": { padding: "2px 1px" },
  ".cm-activeLineGutter": { backgroundColor: "transparent", color: INK },
  ".cm-foldPlaceholder": { color: SOFT, backgroundColor: "transparent", border: `1px solid ${LINE}` },
  ".cm-tooltip": { color: INK, backgroundColor: RAISED, border: `1px solid ${LINE}`, borderRadius: "4px",
    boxShadow: "0 2px 8px rgba(0, 0, 0, .25)", fontFamily: TEXT, fontSize: "12.5px" },
  ".cm-tooltip .clipnb-help": { padding: "5px 9px", maxWidth: "380px", lineHeight: "1.4", overflowWrap: "anywhere" },
  ".cm-tooltip code, .cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: FONT, fontSize: "12px" },
  ".cm-tooltip.cm-completionInfo": { padding: "0" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { backgroundColor: "#0f766e", color: "#fff" },
  ".cm-completionDetail": { color: "inherit", opacity: ".75" },
  ".cm-diagnostic": { padding: "5px 9px", maxWidth: "420px", whiteSpace: "pre-wrap", overflowWrap: "anywhere" },
  ".cm-panels": { color: INK, backgroundColor: RAISED },
  ".cm-matchingBracket": { backgroundColor: "rgba(128, 128, 128, .3)" },
  ".clipnb-curve svg": { display: "block", margin: "2px 6px 6px", maxWidth: "100%" },
  ".clipnb-curve text": { fill: SOFT, fontSize: "10px", fontFamily: TEXT },
  ".clipnb-curve .frame": { fill: "none", stroke: LINE },
  ".clipnb-curve .now": { fill: "none", stroke: SOFT, strokeDasharray: "3 3" },
  ".clipnb-curve polyline": { fill: "none", stroke: "#0d9488", strokeWidth: "2" },
  ".clipnb-curve circle": { fill: "#d97706" },
});

const coloured = (names, lab, code, light) => ({
  tag: names,
  color: `var(--vscode-debugTokenExpression-${code}, var(--jp-mirror-editor-${lab}-color, ${light}))`,
});

export const colours = HighlightStyle.define([
  coloured([tags.propertyName, tags.definition(tags.propertyName)], "def", "name", "#00f"),
  coloured([tags.string, tags.special(tags.string)], "string", "string", "#a31515"),
  coloured([tags.keyword, tags.labelName, tags.typeName, tags.meta], "keyword", "boolean", "#008000"),
  { tag: [tags.comment, tags.lineComment], fontStyle: "italic", color: SOFT },
]);
