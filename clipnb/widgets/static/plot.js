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
  const draw = () => plotly.react(place, structuredClone(model.get("data")), structuredClone(model.get("design")), OPTIONS);
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
