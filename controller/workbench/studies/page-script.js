/* The charts of a study. Runs in the reader's browser, from the file itself; nothing is fetched. */
(() => {
  const { axes, results, confidence, points } = JSON.parse(document.getElementById('data').textContent);
  const names = Object.keys(results);
  if (names.length === 0 || points.length === 0) return;
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(`--${name}`).trim();
  const HEIGHT = 260;
  /* Okabe and Ito's colours, which colour-blind readers can tell apart. */
  const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#8c6bb1', '#7f7f7f'];
  const NONE = -1;

  /* The parameter with most values is the horizontal axis, the next one is the lines, the next the charts. */
  const byValues = axes
    .map((axis, place) => ({ place, rank: axis.values.length + (axis.numbers ? 0.5 : 0) }))
    .filter(({ place }) => axes[place].values.length > 1)
    .sort((a, b) => b.rank - a.rank)
    .map(({ place }) => place);
  const isRandom = axes.every(({ values }) => values.length > 30);
  const chosen = {
    result: names[0],
    x: byValues[0] ?? 0,
    line: isRandom ? NONE : (byValues[1] ?? NONE),
    chart: isRandom ? NONE : (byValues[2] ?? NONE),
    scale: 'auto',
    fixed: axes.map(() => NONE),
  };

  const number = (value) => (value == null ? '–' : String(Number(value.toPrecision(4))));
  const label = ({ name, unit }) => (unit ? `${name} (${unit})` : name);
  const resultLabel = () =>
    results[chosen.result] ? `${chosen.result} (${results[chosen.result]})` : chosen.result;

  const select = (text, options, value, onChange) => {
    const box = document.createElement('label');
    box.textContent = text;
    const list = document.createElement('select');
    for (const [key, shown] of options)
      list.add(new Option(shown, key, false, String(key) === String(value)));
    list.addEventListener('change', () => {
      onChange(list.value);
      show();
    });
    box.append(list);
    return box;
  };

  const controls = () => {
    const places = axes.map(({ name }, place) => [place, name]);
    const or = (what) => [[NONE, what], ...places];
    const boxes = [
      select(
        'result',
        names.map((name) => [name, name]),
        chosen.result,
        (to) => (chosen.result = to),
      ),
      select('across', places, chosen.x, (to) => (chosen.x = Number(to))),
      select('a line each', or('–'), chosen.line, (to) => (chosen.line = Number(to))),
      select('a chart each', or('–'), chosen.chart, (to) => (chosen.chart = Number(to))),
      select(
        'scale',
        [
          ['auto', 'as fits'],
          ['linear', 'linear'],
          ['log', 'logarithmic'],
        ],
        chosen.scale,
        (to) => (chosen.scale = to),
      ),
    ];
    for (const [place, { name, values }] of axes.entries()) {
      if (values.length < 2 || [chosen.x, chosen.line, chosen.chart].includes(place)) continue;
      const all = [[NONE, 'mean of all'], ...values.map((value, at) => [at, value])];
      boxes.push(select(name, all, chosen.fixed[place], (to) => (chosen.fixed[place] = Number(to))));
    }
    document.getElementById('controls').replaceChildren(...boxes);
  };

  const isShown = ({ at }) =>
    axes.every((_, place) => {
      const fixed = [chosen.x, chosen.line, chosen.chart].includes(place) ? NONE : chosen.fixed[place];
      return fixed === NONE || at[place] === fixed;
    });

  /* Place of a line → place on the axis → what was found there. */
  const grouped = (shown) => {
    const lines = new Map();
    for (const { at, found } of shown) {
      if (!found[chosen.result]) continue;
      const key = chosen.line === NONE ? 0 : at[chosen.line];
      const line = lines.get(key) ?? new Map();
      lines.set(key, line);
      line.set(at[chosen.x], [...(line.get(at[chosen.x]) ?? []), found[chosen.result]]);
    }
    return new Map([...lines].sort(([a], [b]) => a - b));
  };

  const meanOf = (found) => found && found.reduce((sum, [mean]) => sum + mean, 0) / found.length;
  /* An interval belongs to one point; the mean of several has none. */
  const interval = (found) => (found?.length === 1 && found[0][1] != null ? found[0] : undefined);

  const bars = (series) => ({
    hooks: {
      draw: (chart) => {
        const { ctx } = chart;
        ctx.save();
        ctx.lineWidth = 1.5 * devicePixelRatio;
        for (const { colour: of, xs, found } of series) {
          ctx.strokeStyle = of;
          ctx.beginPath();
          for (const [at, x] of xs.entries()) {
            const one = interval(found[at]);
            if (!one) continue;
            const left = chart.valToPos(x, 'x', true);
            const floor = chart.scales.y.min;
            const [low, high] = [Math.max(one[1], floor), one[2]].map((y) => chart.valToPos(y, 'y', true));
            ctx.moveTo(left, low);
            ctx.lineTo(left, high);
          }
          ctx.stroke();
        }
        ctx.restore();
      },
    },
  });

  const axis = (values, text, size) => ({
    stroke: colour('quiet'),
    grid: { stroke: colour('line'), width: 1 },
    ticks: { stroke: colour('line') },
    label: text,
    labelSize: 20,
    ...(values && { values }),
    ...(size && { size }),
  });

  /* Values that double from one to the next belong on a logarithmic scale. */
  const wantsLog = (numbers) => {
    if (chosen.scale !== 'auto') return chosen.scale === 'log' && numbers.every((one) => one > 0);
    const sorted = [...new Set(numbers)].sort((a, b) => a - b);
    return sorted.length > 2 && sorted[0] > 0 && sorted.at(-1) / sorted[0] >= 30;
  };

  const draw = (place, shown, top) => {
    const x = axes[chosen.x];
    const lines = grouped(shown);
    const taken = [...new Set([...lines.values()].flatMap((line) => [...line.keys()]))].sort((a, b) => a - b);
    if (taken.length === 0) return;
    const xs = taken.map((at) => (x.numbers ? x.numbers[at] : at));
    const series = [...lines].map(([key, line]) => ({
      label:
        chosen.line === NONE ? chosen.result : `${axes[chosen.line].name} ${axes[chosen.line].values[key]}`,
      colour: COLOURS[key % COLOURS.length],
      found: taken.map((at) => line.get(at)),
      xs,
    }));
    const data = [xs, ...series.map(({ found }) => found.map((one) => meanOf(one) ?? null))];
    const means = data
      .slice(1)
      .flat()
      .filter((one) => one !== null);
    const isLogX = x.numbers !== null && wantsLog(xs);
    const isLogY = wantsLog(means);
    const options = {
      width: place.clientWidth,
      height: HEIGHT,
      scales: {
        x: { time: false, distr: isLogX ? 3 : 1 },
        y: isLogY ? { distr: 3 } : { range: (_, __, most) => [0, Math.max(top, most || 1) * 1.08] },
      },
      axes: [
        axis(x.numbers ? undefined : (_, ticks) => ticks.map((at) => x.values[at] ?? ''), label(x), 44),
        axis((_, ticks) => ticks.map((one) => (one == null ? '' : number(one))), resultLabel(), 64),
      ],
      series: [
        { label: label(x), value: (_, value) => (x.numbers ? number(value) : (x.values[value] ?? '–')) },
        ...series.map(({ label: text, colour: of }) => ({
          label: text,
          stroke: of,
          width: taken.length > 30 && chosen.line === NONE ? 0 : 2,
          points: { show: true, size: 6, fill: of },
          spanGaps: true,
          value: (_, value) => number(value),
        })),
      ],
      plugins: [bars(series)],
    };
    const chart = new uPlot(options, data, place);
    new ResizeObserver(() => chart.setSize({ width: place.clientWidth, height: HEIGHT })).observe(place);
  };

  const show = () => {
    controls();
    const shown = points.filter(isShown);
    const charts = document.getElementById('charts');
    charts.replaceChildren();
    const groups = chosen.chart === NONE ? [undefined] : axes[chosen.chart].values.map((_, at) => at);
    const keys = chosen.line === NONE ? [] : axes[chosen.line].values;
    document.getElementById('keys').replaceChildren(
      ...keys.map((value, at) => {
        const key = document.createElement('span');
        key.style.setProperty('--of', COLOURS[at % COLOURS.length]);
        key.textContent = `${axes[chosen.line].name} ${value}`;
        return key;
      }),
    );
    const tops = shown.flatMap(({ found }) =>
      found[chosen.result] ? [found[chosen.result][2] ?? found[chosen.result][0]] : [],
    );
    const top = tops.reduce((most, one) => Math.max(most, one), 0);
    for (const group of groups) {
      const figure = document.createElement('figure');
      if (group !== undefined) {
        const caption = document.createElement('figcaption');
        caption.textContent = `${axes[chosen.chart].name} ${axes[chosen.chart].values[group]}`;
        figure.append(caption);
      }
      const place = document.createElement('div');
      figure.append(place);
      charts.append(figure);
      draw(
        place,
        shown.filter(({ at }) => group === undefined || at[chosen.chart] === group),
        top,
      );
    }
    document.getElementById('bars').textContent =
      `Points are means of runs; bars are their ${number(confidence * 100)} % confidence intervals (Student's t), where there are several runs.`;
  };
  show();
})();
