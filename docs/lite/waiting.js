/* JupyterLite loads this file as one of its extensions (docs/in_browser.py puts it there). A lesson is on the screen
   some seconds before Python is: what the reader runs meanwhile is kept, and a line says that Python is on its way. */
(() => {
  const LOOK = `
    .chainrule-waiting { position: absolute; bottom: 1rem; left: 50%; transform: translateX(-50%); z-index: 10;
      box-sizing: border-box; width: max-content; max-width: calc(100% - 2rem); padding: 0.4rem 0.9rem;
      border: 1px solid var(--jp-border-color1); border-radius: 0.4rem; background: var(--jp-layout-color1);
      color: var(--jp-ui-font-color1); font-family: var(--jp-ui-font-family); font-size: var(--jp-ui-font-size1); }`;
  const COMING = 'Python is on its way. What you run now starts as soon as it is here.';
  const LATE = 'Python has not come yet. On a slow line it takes longer; if nothing comes, reload this page.';
  const LONG = 60_000; // milliseconds

  /**
   * Running a cell starts Python where there is none, and waits for it. But JupyterLab says that there is one as soon as
   * it is asked for, and then the cell is passed over; JupyterLite, asked for it twice, ends both; and before the lesson
   * has said which Python it wants, the reader is asked. So here there is none until it has come, whoever asks meanwhile
   * waits for the same one, and it is started when the lesson asks for it.
   */
  function startOnce(session) {
    const initialize = session.initialize.bind(session);
    const start = session.startKernel.bind(session);
    let lessonAsks;
    const asked = new Promise((resolve) => {
      lessonAsks = resolve;
    });
    let started = null;
    session.initialize = () => {
      lessonAsks(session.specsManager.ready);
      return initialize();
    };
    session.startKernel = () => {
      started ??= asked.then(start).finally(() => {
        started = null;
      });
      return started;
    };
    Object.defineProperty(session, 'hasNoKernel', { get: () => !session.session?.kernel });
  }

  /** A line at the foot of the notebook, until Python can run something. */
  function say(notebook, session) {
    const line = document.createElement('div');
    line.className = 'chainrule-waiting';
    line.setAttribute('role', 'status'); // read aloud when it changes, after what is being read
    notebook.node.append(line);
    line.textContent = COMING;
    const late = setTimeout(() => {
      line.textContent = LATE;
    }, LONG);
    const follow = () => {
      if (!['idle', 'busy'].includes(session.session?.kernel?.status)) return;
      clearTimeout(late);
      line.remove();
      session.statusChanged.disconnect(follow);
    };
    session.statusChanged.connect(follow);
    follow();
  }

  const plugin = {
    id: 'chainrule:waiting',
    autoStart: true,
    activate: (app) => {
      const known = new WeakSet();
      document.head.append(Object.assign(document.createElement('style'), { textContent: LOOK }));
      app.docRegistry.addWidgetExtension('Notebook', {
        createNew: (notebook, context) => {
          if (!known.has(context.sessionContext)) startOnce(context.sessionContext);
          known.add(context.sessionContext);
          say(notebook, context.sessionContext);
        },
      });
    },
  };
  window._JUPYTERLAB.chainrule = { init: () => {}, get: async () => () => ({ __esModule: true, default: plugin }) };
})();
