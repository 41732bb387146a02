import {defineConfig} from 'sallyport/plugin-sdk';

export default defineConfig({
	providers: {local: {speaks: 'openai', baseUrl: 'http://127.0.0.1:8788/v1', key: 'local-models-need-no-secret'}},
	models: {fast: ['local/echo']},
	plugins: [
		{use: 'virtual-keys'},
		// The same rule without mode: 'observe': now it refuses.
		{use: 'word-list', config: {words: ['Project Falcon'], action: 'deny'}},
	],
});
