import './own-modules.ts';
import {Command, CommanderError} from 'commander';
import about from '../../package.json' with {type: 'json'};
import {ConfigError} from '../config.ts';
import {act} from './act.ts';
import {adminKey} from './admin-key.ts';
import {admins} from './admins.ts';
import {approvals} from './approvals.ts';
import {audit} from './audit.ts';
import {check} from './check.ts';
import {explain} from './explain.ts';
import {guards} from './guards.ts';
import {keys} from './keys.ts';
import {ledger} from './ledger.ts';
import {plugins} from './plugins.ts';
import {replay} from './replay.ts';
import {start} from './start.ts';
import {taints} from './taints.ts';
import {usage} from './usage.ts';

const program = new Command('sallyport')
	.description(about.description)
	.version(about.version)
	.option('-c, --config <file>', 'the config', 'gateway.config.ts')
	.showHelpAfterError('Run it with --help for what it takes.')
	.configureHelp({showGlobalOptions: true})
	.exitOverride();

// What only one verb needs is imported when it runs: asking for help must not wait for an isolate's library.
for (const verb of [start, check, keys, plugins, act, explain, guards, replay, approvals, taints, admins, usage, ledger, audit, adminKey])
	verb(program);

/** A mistake in the config says where it is and how to mend it, and no message of ours needs a stack. */
const wordsOf = (thrown: unknown): string => {
	if (!(thrown instanceof Error)) return String(thrown);
	return process.env.SALLYPORT_DEBUG && !(thrown instanceof ConfigError) ? (thrown.stack ?? thrown.message) : thrown.message;
};

try {
	await program.parseAsync();
} catch (thrown) {
	if (thrown instanceof CommanderError) process.exitCode = thrown.exitCode;
	else {
		console.error(wordsOf(thrown));
		process.exitCode = 1;
	}
}
