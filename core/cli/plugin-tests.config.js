// What `sallyport plugins test` runs ava with, so that a plugin's folder needs nothing of its own.
export default {
	extensions: ['ts'],
	files: ['test.ts', '*.test.ts'],
	nodeArguments: [`--import=${new URL('own-modules.ts', import.meta.url)}`],
	cache: false,
	timeout: '120s',
	workerThreads: false,
};
