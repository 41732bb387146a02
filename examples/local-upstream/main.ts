import {parseArgs} from 'node:util';
import {startLocalUpstream} from './server.ts';

const {values} = parseArgs({
	options: {
		port: {type: 'string', default: '0'},
		host: {type: 'string', default: '127.0.0.1'},
		'with-parent': {type: 'boolean', default: false},
	},
});

const upstream = await startLocalUpstream({port: Number(values.port), host: values.host});

const stop = async () => {
	await upstream.close();
	process.exit(0);
};

process.once('SIGTERM', stop);
process.once('SIGINT', stop);
if (values['with-parent'] && process.connected) {
	process.once('disconnect', stop);
} else if (values['with-parent']) {
	process.stdin.once('close', stop).resume();
}

console.log(JSON.stringify({listening: upstream.url}));
