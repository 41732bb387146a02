import {defineConfig} from 'sallyport/plugin-sdk';

export default defineConfig({
	providers: {local: {speaks: 'openai', baseUrl: 'http://127.0.0.1:8788/v1', key: 'local-models-need-no-secret'}},
	// This one streams a single character at a time: a value never arrives whole.
	models: {fast: ['local/echo'], letters: ['local/chars']},
	plugins: [
		{use: 'virtual-keys'},
		// reversible: the provider sees [EMAIL_1], and the client gets its own value back.
		{use: 'masking', config: {mask: ['email', 'iban'], reversible: true}},
	],
});
