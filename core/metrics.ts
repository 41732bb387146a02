import {Counter, collectDefaultMetrics, Gauge, Registry} from 'prom-client';
import type {RecordedFinding} from '../schemas/record.ts';
import {type Exchange, overheadMs} from './exchange.ts';
import {openHistogram} from './histogram.ts';

export type Metrics = {
	ended(exchange: Exchange): void;
	pluginFailed(plugin: string, hook: string): void;
	found(finding: RecordedFinding): void;
	/** A plugin's own counter. */
	count(plugin: string, name: string, by: number): void;
	/** The Prometheus text format, version 0.0.4; of every process of this gateway. */
	text(): Promise<string>;
	/** Of this process alone. */
	own(): Promise<string>;
	contentType: string;
};

type Sum = {
	labels: Record<'operation' | 'model' | 'outcome' | 'status', string>;
	count: number;
	input: number;
	output: number;
	costMicroUsd: number;
};

/** How many exchanges are under way now, and how many of them wait for a decision. */
type Now = {running: () => number; held: () => number};

/** Detectors of one plugin that are counted by name. */
const mostNames = 300;

/** Labels come from the config and from fixed lists, never from a request: a client cannot grow the memory. */
export const openMetrics = ({running, held}: Now, modelOf: (exchange: Exchange) => string, ofAll?: () => Promise<string>): Metrics => {
	const registers = [new Registry()];
	const [register] = registers as [Registry];
	collectDefaultMetrics({register, prefix: 'sallyport_'});
	const exchanges = new Counter({
		name: 'sallyport_exchanges_total',
		help: 'Exchanges that ended.',
		labelNames: ['operation', 'model', 'outcome', 'status'],
		registers,
	});
	const tokens = new Counter({name: 'sallyport_tokens_total', help: 'Tokens used.', labelNames: ['model', 'kind'], registers});
	const cost = new Counter({
		name: 'sallyport_cost_usd_total',
		help: 'Cost of what was used, in US dollars.',
		labelNames: ['model'],
		registers,
	});
	const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
	const seconds = openHistogram({name: 'sallyport_exchange_seconds', help: 'Whole time of an exchange.', label: 'operation', buckets});
	const overhead = openHistogram({
		name: 'sallyport_overhead_seconds',
		help: 'Time of an exchange not spent waiting for an upstream.',
		buckets: [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1],
	});
	const failures = new Counter({
		name: 'sallyport_plugin_failures_total',
		help: 'Plugins that could not answer.',
		labelNames: ['plugin', 'hook'],
		registers,
	});
	const findings = new Counter({
		name: 'sallyport_findings_total',
		help: 'What guards found, and what was done about it; with mode observe, what would have been.',
		labelNames: ['plugin', 'detector', 'category', 'action', 'mode'],
		registers,
	});
	/** What each plugin calls what it finds: a plugin cannot grow the memory either. */
	const names = new Map<string, Set<string>>();
	const isKnown = (plugin: string, name: string): boolean => {
		const known = names.get(plugin) ?? new Set();
		names.set(plugin, known);
		return known.has(name) || (known.size < mostNames && known.add(name).has(name));
	};
	const counted = new Counter({
		name: 'sallyport_plugin_count_total',
		help: 'What plugins count.',
		labelNames: ['plugin', 'name'],
		registers,
	});
	new Gauge({
		name: 'sallyport_exchanges_running',
		help: 'Exchanges under way.',
		registers,
		collect() {
			this.set(running());
		},
	});
	new Gauge({
		name: 'sallyport_exchanges_held',
		help: 'Exchanges that wait for an approval.',
		registers,
		collect() {
			this.set(held());
		},
	});

	/** Adding to a counter by labels hashes them each time: what ended is summed here, and handed over when somebody looks. */
	const sums = new Map<string, Sum>();
	const flush = (): void => {
		for (const {labels, count, input, output, costMicroUsd} of sums.values()) {
			const {model} = labels;
			exchanges.inc(labels, count);
			if (input > 0) tokens.inc({model, kind: 'input'}, input);
			if (output > 0) tokens.inc({model, kind: 'output'}, output);
			if (costMicroUsd > 0) cost.inc({model}, costMicroUsd / 1e6);
		}
		sums.clear();
	};
	const sumOf = (operation: string, model: string, outcome: string, status: number): Sum => {
		const name = `${operation}|${model}|${outcome}|${status}`;
		const known = sums.get(name);
		if (known) return known;
		const made: Sum = {labels: {operation, model, outcome, status: String(status)}, count: 0, input: 0, output: 0, costMicroUsd: 0};
		sums.set(name, made);
		return made;
	};

	const own = async (): Promise<string> => {
		flush();
		return `${await register.metrics()}\n${seconds.text()}\n${overhead.text()}`;
	};

	return {
		ended(exchange) {
			const operation = exchange.operation ?? 'none';
			const model = modelOf(exchange);
			const {outcome = 'failed', status = 0, usage, costMicroUsd} = exchange;
			const sum = sumOf(operation, model, outcome, status);
			sum.count++;
			if (usage) {
				sum.input += usage.inputTokens;
				sum.output += usage.outputTokens;
			}
			if (costMicroUsd) sum.costMicroUsd += costMicroUsd;
			seconds.observe(operation, (performance.now() - exchange.startedMs) / 1_000);
			overhead.observe('', overheadMs(exchange) / 1_000);
		},
		pluginFailed: (plugin, hook) => failures.inc({plugin, hook}),
		found({plugin, detector, category, action, mode = 'enforce'}) {
			const name = isKnown(plugin, `${category} ${detector}`) ? {detector, category} : {detector: 'other', category: 'other'};
			findings.inc({plugin, ...name, action, mode});
		},
		count: (plugin, name, by) => counted.inc({plugin, name}, by),
		text: ofAll ?? own,
		own,
		contentType: register.contentType,
	};
};
