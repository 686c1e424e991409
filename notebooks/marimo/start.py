"""clipnb in marimo: `pip install marimo 'clipnb[lite]' && marimo edit start.py`. Cells run again with what they read."""

import marimo

app = marimo.App(app_title="clipnb")


@app.cell
def _():
    import io

    import marimo as mo

    import clipnb
    from clipnb.files import shipped

    here = clipnb.setup()  # model="best" downloads a real CLIP once
    here
    return clipnb, here, io, mo, shipped


@app.cell
def _(mo):
    mo.md("""
    ## Words become a picture

    Gradient ascent changes the pixels until the encoder finds them similar to the words. Interrupt the cell to stop it.
    """)
    return


@app.cell
def _(mo):
    words = mo.ui.text("a jellyfish in the deep sea", label="Words", full_width=True)
    steps = mo.ui.slider(20, 600, value=120, step=20, label="Steps", show_value=True)
    start = mo.ui.run_button(label="Start")
    mo.vstack([words, mo.hstack([steps, start], justify="start")])
    return start, steps, words


@app.cell
def _(clipnb, here, mo, start, steps, words):
    mo.stop(not start.value, mo.md("*Press Start.*"))
    experiment = clipnb.ExperimentConfig.from_text(words.value, seed=1, epochs=steps.value)
    for step in clipnb.Optimisation(experiment, clipnb.load_model(here.model)).steps():
        if step.index % 10 == 0 or step.is_last:
            count = mo.md(f"step {step.index + 1} of {steps.value}, loss {step.loss:.3f}")
            mo.output.replace(mo.vstack([clipnb.to_pil(step.image), count]))
    return


@app.cell
def _(mo):
    mo.md("""
    ## A picture becomes a prompt

    The first one takes longer, since labels are embedded once.
    """)
    return


@app.cell
def _(mo):
    upload = mo.ui.file(filetypes=["image/*"], kind="area", label="Drop a picture here, or click")
    mode = mo.ui.dropdown(["caption", "fast", "classic"], value="fast", label="Mode")
    mo.vstack([upload, mode])
    return mode, upload


@app.cell
def _(clipnb, here, io, mo, mode, upload):
    mo.stop(not upload.value, mo.md("*No picture yet.*"))
    picture = clipnb.open_image(io.BytesIO(upload.contents()))
    found = clipnb.Interrogator(clipnb.load_model(here.model)).interrogate(picture, mode=mode.value)
    picture.thumbnail((256, 256))
    mo.hstack([picture, found], justify="start")
    return


@app.cell
def _(mo):
    mo.md("""
    ## Prompts become a graph

    Click a tag; the cell below reads what was clicked.
    """)
    return


@app.cell
def _(clipnb, mo, shipped):
    panel = clipnb.tag_panel(shipped("prompts"))
    clicked, click = mo.state("")
    panel.observe(lambda change: click(change["new"]), "tag")
    panel.graph.canvas
    return clicked, panel


@app.cell
def _(clicked, clipnb, mo, panel):
    mo.stop(not clicked(), mo.md("*No tag yet.*"))
    mo.vstack([mo.md(f"**{clicked()}** goes with"), clipnb.suggest(panel.session.view.graph, [clicked()])])
    return


if __name__ == "__main__":
    app.run()
