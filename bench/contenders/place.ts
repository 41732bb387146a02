/** Where this run's gateway lives; bench/contenders.ts sets these before it starts one. */
const {SALLYPORT_BENCH_LISTEN, SALLYPORT_BENCH_DATA, SALLYPORT_BENCH_UPSTREAM, SALLYPORT_BENCH_WORKERS} = process.env;

export const listen = SALLYPORT_BENCH_LISTEN ?? '127.0.0.1:8787';
export const workers = Number(SALLYPORT_BENCH_WORKERS ?? 1);
export const store = `${SALLYPORT_BENCH_DATA ?? 'data'}/gateway.db`;
export const journal = {folder: `${SALLYPORT_BENCH_DATA ?? 'data'}/journal`};
export const upstreamUrl = SALLYPORT_BENCH_UPSTREAM ?? 'http://127.0.0.1:18900/v1';
export const providers = {
	static: {speaks: 'openai' as const, baseUrl: upstreamUrl, key: 'sk-bench', connections: 512},
};
export const models = {'gpt-4o-mini': ['static/gpt-4o-mini']};
