import {defineConfig} from 'sallyport/plugin-sdk';

export default defineConfig({
	servers: {
		files: {stdio: {command: 'node', args: ['../../node_modules/@modelcontextprotocol/server-filesystem/dist/index.js', 'shared']}},
	},
	plugins: [
		{use: 'virtual-keys'},
		{use: 'grants', config: {allow: {'tenant:default': {servers: ['files'], tools: ['files/read_text_file', 'files/list_directory']}}}},
	],
});
