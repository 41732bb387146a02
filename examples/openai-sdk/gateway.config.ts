import {defineConfig} from 'sallyport/plugin-sdk';

export default defineConfig({
	providers: {local: {speaks: 'openai', baseUrl: 'http://127.0.0.1:8788/v1', key: 'local-models-need-no-secret'}},
	models: {fast: ['local/echo'], embed: ['local/embed']},
	plugins: [{use: 'virtual-keys'}],
});
