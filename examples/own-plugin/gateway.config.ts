import {defineConfig} from 'sallyport/plugin-sdk';

export default defineConfig({
	providers: {local: {speaks: 'openai', baseUrl: 'http://127.0.0.1:8788/v1', key: 'local-models-need-no-secret'}},
	models: {fast: ['local/echo']},
	plugins: [
		{use: 'virtual-keys'},
		// A path: code of our own, so it lives in a process of its own. It may call this address and no other.
		{use: './classifier', config: {url: 'http://127.0.0.1:8790/classify'}, grants: {http: ['127.0.0.1:8790']}},
	],
});
