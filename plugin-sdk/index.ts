export {defineConfig, env, optionalEnv} from './define-config.ts';
export {type ActionDefinition, action, type Caller, definePlugin, type PluginDefinition, refuse} from './define-plugin.ts';
export type {Answer, Host, HttpRequest, HttpResponse, Json, Kv} from './host.ts';
export {allow, deny, hold, identify, redact, respond, rewrite, route} from './verdict.ts';
