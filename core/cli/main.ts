import {Command, CommanderError} from 'commander';
import {ConfigError} from '../config.ts';
import {audit} from './audit.ts';
import {check} from './check.ts';
import {keys} from './keys.ts';
import {plugins} from './plugins.ts';
import {start} from './start.ts';

const program = new Command('sallyport')
	.description('A self-hosted AI gateway in which every feature is a sandboxed plugin.')
	.version('0.1.0')
	.option('-c, --config <file>', 'the config', 'gateway.config.ts')
	.exitOverride()
	.configureOutput({outputError: (text, write) => write(text)});

for (const verb of [start, check, keys, plugins, audit]) verb(program);

try {
	await program.parseAsync();
} catch (error) {
	if (error instanceof CommanderError) process.exitCode = error.exitCode;
	else {
		// A mistake in the config has said where and how to mend it; nothing of ours needs a stack for that.
		console.error(error instanceof Error ? (error instanceof ConfigError || !process.env.SALLYPORT_DEBUG ? error.message : error.stack) : String(error));
		process.exitCode = 1;
	}
}
