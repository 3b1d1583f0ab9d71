/* The charts of a report. Runs in the reader's browser, from the file itself; nothing is fetched. */
(() => {
  const {
    flows = [],
    links = [],
    errors = { ms: [] },
    lag = { seconds: [] },
    agents = [],
    clocks = [],
    events = [],
    lastSeconds = 0,
    overlays = [],
  } = JSON.parse(document.getElementById('data').textContent);
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(`--${name}`).trim();
  const HEIGHT = 190;

  /** 12345678 → 12.3 Mb/s */
  const bits = (value) => {
    if (value == null) return '–';
    for (const [unit, size] of [
      ['Gb/s', 1e9],
      ['Mb/s', 1e6],
      ['kb/s', 1e3],
    ])
      if (value >= size) return `${(value / size).toPrecision(3)} ${unit}`;
    return `${value.toFixed(0)} b/s`;
  };
  const bytes = (value) => (value == null ? '–' : `${(value / 1e6).toFixed(0)} MB`);
  const percent = (value) => (value == null ? '–' : `${(value * 100).toFixed(1)} %`);
  const clock = (value) => (value == null ? '–' : `${value.toFixed(1)} s`);

  /** A dotted line at each event. */
  const marks = {
    hooks: {
      draw: (chart) => {
        const { ctx, bbox } = chart;
        ctx.save();
        ctx.strokeStyle = colour('quiet');
        ctx.setLineDash([2, 4]);
        ctx.beginPath();
        for (const at of events) {
          const x = chart.valToPos(at, 'x', true);
          if (x < bbox.left || x > bbox.left + bbox.width) continue;
          ctx.moveTo(x, bbox.top);
          ctx.lineTo(x, bbox.top + bbox.height);
        }
        ctx.stroke();
        ctx.restore();
      },
    },
  };

  const axis = (values, size) => ({
    stroke: colour('quiet'),
    grid: { stroke: colour('line'), width: 1 },
    ticks: { stroke: colour('line') },
    ...(values && { values: (_, ticks) => ticks.map((tick) => values(tick)) }),
    ...(size && { size }),
  });

  const draw = (id, data, series, values, { bands = [], at = clock, ticks, isMarked = true, range } = {}) => {
    const place = document.getElementById(id);
    if (!place) return;
    const options = {
      width: place.clientWidth,
      height: HEIGHT,
      cursor: isMarked ? { sync: { key: 'run' } } : {},
      scales: { x: { time: false }, y: { range: range ?? ((_, __, most) => [0, (most || 1) * 1.08]) } },
      axes: [axis(ticks ?? ((tick) => `${tick} s`)), axis(values, 78)],
      series: [{ label: 'at', value: (_, value) => at(value) }, ...series],
      bands,
      plugins: isMarked ? [marks] : [],
    };
    const chart = new uPlot(options, data, place);
    // Charts of the run have one time, whenever their flow began.
    if (isMarked && lastSeconds > 0) chart.setScale('x', { min: 0, max: lastSeconds });
    new ResizeObserver(() => chart.setSize({ width: place.clientWidth, height: HEIGHT })).observe(place);
  };

  const rate = (label, more) => ({ label, value: (_, value) => bits(value), spanGaps: false, ...more });
  for (const [index, { seconds, rate: mean, least, most, share }] of flows.entries()) {
    const thin = { stroke: 'transparent', points: { show: false } };
    const series = [
      rate('most', thin),
      rate('least', thin),
      rate('rate', { stroke: colour('measured'), width: 2 }),
      rate('share', { stroke: colour('asked'), width: 2, dash: [6, 4] }),
    ];
    const bands = [{ series: [1, 2], fill: colour('band') }];
    draw(`flow-${index}`, [seconds, most, least, mean, share], series, bits, { bands });
  }
  for (const [index, { seconds, rate: carried, capacity }] of links.entries()) {
    const series = [
      rate('carried', { stroke: colour('measured'), width: 2, fill: colour('band') }),
      rate('bandwidth', { stroke: colour('asked'), width: 2, dash: [6, 4] }),
    ];
    draw(`link-${index}`, [seconds, carried, capacity], series, bits);
  }
  const millis = (value) => (value == null ? '–' : `${value.toFixed(2)} ms`);
  if (errors.ms.length > 0) {
    const part = { label: 'of samples', stroke: colour('measured'), width: 2, fill: colour('band') };
    const series = [
      { ...part, value: (_, value) => percent(value), paths: uPlot.paths.stepped({ align: 1 }) },
    ];
    const ticks = (tick) => `${tick} ms`;
    draw('errors', [errors.ms, errors.below], series, percent, {
      at: millis,
      ticks,
      isMarked: false,
      range: [0, 1.02],
    });
  }
  if (lag.seconds.length > 0) {
    const points = { label: 'late', stroke: colour('measured'), width: 0, points: { show: true, size: 5 } };
    draw('lag', [lag.seconds, lag.ms], [{ ...points, value: (_, value) => millis(value) }], millis);
  }
  for (const [index, { seconds, cores, memoryBytes }] of agents.entries()) {
    const line = { stroke: colour('measured'), width: 2 };
    const used = { ...line, label: 'processor', value: (_, value) => percent(value) };
    draw(`cores-${index}`, [seconds, cores], [used], percent);
    const memory = { ...line, label: 'memory', value: (_, value) => bytes(value) };
    draw(`memory-${index}`, [seconds, memoryBytes], [memory], bytes);
  }
  for (const [index, { seconds, offset, least, most }] of clocks.entries()) {
    const series = [
      {
        label: 'at most',
        stroke: 'transparent',
        points: { show: false },
        value: (_, value) => millis(value),
      },
      {
        label: 'at least',
        stroke: 'transparent',
        points: { show: false },
        value: (_, value) => millis(value),
      },
      { label: 'ahead', stroke: colour('measured'), width: 2, value: (_, value) => millis(value) },
    ];
    // It may be behind as well.
    const range = (_, low, high) => [low - (0.1 * (high - low) || 0.1), high + (0.1 * (high - low) || 0.1)];
    const bands = [{ series: [1, 2], fill: colour('band') }];
    draw(`clock-${index}`, [seconds, most, least, offset], series, millis, { bands, range });
  }
  /** Of several records, one over the other; far apart, so that neighbours are told from each other. */
  const HUES = [215, 25, 140, 285, 0, 175, 60, 320];
  const around = (_, least, most) => {
    const room = 0.1 * (most - least) || 0.1;
    return [Math.max(0, least - room), most + room];
  };
  for (const { id, kind, seconds, lines } of overlays) {
    const values = kind === 'flow' ? bits : millis;
    const series = lines.map(({ label }, index) => ({
      label,
      value: (_, value) => values(value),
      stroke: `hsl(${HUES[index % HUES.length]} 70% 50%)`,
      width: 2,
      spanGaps: kind === 'path',
    }));
    const data = [seconds, ...lines.map((line) => line.values)];
    draw(id, data, series, values, kind === 'path' ? { range: around } : {});
  }
})();
