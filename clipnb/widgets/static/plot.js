const GREY = "#7a7f87", GRID = "rgba(128, 134, 145, 0.22)", CLEAR = "rgba(0,0,0,0)";
const AXIS = { gridcolor: GRID, zeroline: false, linecolor: GRID, ticks: "outside", tickcolor: GRID };
const DESIGN = {
  height: 230,
  autosize: true,
  margin: { l: 52, r: 12, t: 8, b: 40 },
  paper_bgcolor: CLEAR,
  plot_bgcolor: CLEAR,
  font: { size: 11, color: GREY },
  showlegend: true,
  legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0, bgcolor: CLEAR },
  xaxis: { ...AXIS, title: { text: "step", standoff: 6 }, rangemode: "tozero" },
  yaxis: { ...AXIS, title: { text: "similarity (cosine × 100)", standoff: 8 } },
  uirevision: "kept",
  hovermode: "x unified",
};
// On dark paper: words, and each colour of a curve in its light kind.
const LIGHT_GREY = "#a3a9b2";
const LIGHT = {
  "#0f766e": "#2dd4bf", "#d97706": "#f59e0b", "#7c3aed": "#a78bfa", "#dc2626": "#f87171",
  "#2563eb": "#60a5fa", "#65a30d": "#a3e635", "#db2777": "#f472b6", "#57534e": "#a8a29e",
};
const OPTIONS = { displaylogo: false, displayModeBar: false };

async function render({ model, el }) {
  globalThis.clipnbPlotly ??= loadLibrary(model);
  let plotly;
  try {
    plotly = await globalThis.clipnbPlotly;
  } catch (error) {
    globalThis.clipnbPlotly = undefined;
    el.textContent = `The chart cannot be drawn here (${error}); clipnb.live(..., live_chart=False) shows it as a picture.`;
    return undefined;
  }
  const place = document.createElement("div");
  el.append(place);
  const draw = () => {
    const [data, design] = structuredClone([model.get("data"), DESIGN]);
    if (getComputedStyle(el).colorScheme.includes("dark")) {
      design.font.color = LIGHT_GREY;
      for (const { line } of data) line.color = LIGHT[line.color] ?? line.color;
    }
    return plotly.react(place, data, design, OPTIONS);
  };
  draw();
  const themes = new MutationObserver(draw);
  themes.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light", "data-vscode-theme-kind"] });
  model.on("change:data", draw);
  const observer = new ResizeObserver(() => place.offsetParent && plotly.Plots.resize(place));
  observer.observe(el);
  return () => {
    observer.disconnect();
    themes.disconnect();
    model.off("change:data", draw);
    plotly.purge(place);
  };
}
export default { render };
