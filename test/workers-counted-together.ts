import test from 'ava';
import {growing, readSample, together, writeSample} from '../core/workers/metrics-text.ts';

const family = (name: string, type: string, ...series: string[]): string =>
	[`# HELP ${name} What it is, in words.`, `# TYPE ${name} ${type}`, ...series, ''].join('\n');

const sum = (...texts: string[]): string => writeSample(together(texts.map(readSample)));

test('counters, histograms and most gauges are added up, series by series', t => {
	const one = family('calls_total', 'counter', 'calls_total{model="a b",status="200"} 3', 'calls_total{model="c",status="200"} 1');
	const other = family('calls_total', 'counter', 'calls_total{model="a b",status="200"} 4', 'calls_total{model="c",status="500"} 2');
	const [a, b] = [3, 5].map(count =>
		family(
			'took',
			'histogram',
			`took_bucket{le="0.5"} ${count}`,
			`took_bucket{le="+Inf"} ${count + 1}`,
			'took_sum 0.25',
			`took_count ${count + 1}`,
		),
	);
	t.is(
		sum(`${one}\n${a}`, `${other}\n${b}`),
		[
			family(
				'calls_total',
				'counter',
				'calls_total{model="a b",status="200"} 7',
				'calls_total{model="c",status="200"} 1',
				'calls_total{model="c",status="500"} 2',
			),
			family('took', 'histogram', 'took_bucket{le="0.5"} 8', 'took_bucket{le="+Inf"} 10', 'took_sum 0.5', 'took_count 10'),
		].join('\n'),
	);
});

test('what would mean nothing as a sum is none: of starts the first, of delays the longest, of versions one', t => {
	const of = (start: number, lag: string) =>
		[
			family('sallyport_process_start_time_seconds', 'gauge', `sallyport_process_start_time_seconds ${start}`),
			family('sallyport_nodejs_eventloop_lag_p99_seconds', 'gauge', `sallyport_nodejs_eventloop_lag_p99_seconds ${lag}`),
			family('sallyport_nodejs_version_info', 'gauge', 'sallyport_nodejs_version_info{version="v24.0.0"} 1'),
		].join('\n');
	t.is(sum(of(20, 'Nan'), of(10, '0.25'), of(30, '0.125')), of(10, '0.25'));
});

test('of a process that ended only what grows stays counted', t => {
	const text = [
		family('calls_total', 'counter', 'calls_total 3'),
		family('took', 'histogram', 'took_count 3'),
		family('running', 'gauge', 'running 2'),
		family('sallyport_nodejs_eventloop_lag_total_seconds', 'counter', 'sallyport_nodejs_eventloop_lag_total_seconds 1'),
	].join('\n');
	t.deepEqual([...growing(readSample(text)).keys()], ['calls_total', 'took']);
});
