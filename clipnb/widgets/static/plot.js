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
  const draw = () => plotly.react(place, structuredClone(model.get("data")), structuredClone(DESIGN), OPTIONS);
  draw();
  model.on("change:data", draw);
  const observer = new ResizeObserver(() => place.offsetParent && plotly.Plots.resize(place));
  observer.observe(el);
  return () => {
    observer.disconnect();
    model.off("change:data", draw);
    plotly.purge(place);
  };
}
export default { render };
