export type {Operation} from '../schemas/hooks.ts';
export type {Channel, Finding} from '../schemas/verdict.ts';
export {defineConfig, env, optionalEnv} from './define-config.ts';
export {
	type Access,
	type ActionDefinition,
	action,
	type Caller,
	definePlugin,
	type PluginDefinition,
	type Role,
	refuse,
} from './define-plugin.ts';
export type {Answer, Host, HttpRequest, HttpResponse, Json, Kv, ModelAnswer, ModelQuestion, Signed} from './host.ts';
export {mayReach, tenantOf, within} from './tenancy.ts';
export {openTurns} from './turns.ts';
export {allow, deny, hold, identify, redact, respond, rewrite, route} from './verdict.ts';
