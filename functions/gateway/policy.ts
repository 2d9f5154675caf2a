/**
 * Checks the policies that clients set on queues. Only policies that allow the project's own topics to send to the
 * queue are accepted. Topics can already do that, so the policy has no effect, but setup code written for SQS sets one
 * before it subscribes a queue.
 */
import { clientArn, isName, type NameContext, ownerOf } from './names.ts';
import { isRecord } from './shapes.ts';

/** Maximum length of a policy in SQS, in characters. */
const MAX_LENGTH = 8192;
const VERSIONS: readonly unknown[] = [undefined, '2012-10-17', '2008-10-17'];
const OPERATORS = /^(ForAnyValue:)?(Arn|String)(Equals|Like)(IfExists)?$/;

/**
 * Returns a sentence that explains why a policy (IAM JSON) is not accepted for the queue, or undefined if it is. Every
 * statement must allow `sqs:SendMessage` on this queue, to SNS or to everyone, on the condition that `aws:SourceArn`
 * is a topic of the project.
 */
export function checkPolicy(context: NameContext, queue: string, text: string): string | undefined {
  if (text.length > MAX_LENGTH) return `It is longer than ${MAX_LENGTH} characters.`;
  let policy: unknown;
  try {
    policy = JSON.parse(text);
  } catch {
    return 'It is not valid JSON.';
  }
  if (!isRecord(policy)) return 'It is not a JSON object.';
  const { Version, Id, Statement, ...others } = policy;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) return `The element ${unknown} is not supported.`;
  if (!VERSIONS.includes(Version)) return 'Version must be 2012-10-17 or 2008-10-17.';
  if (Id !== undefined && typeof Id !== 'string') return 'Id must be a string.';
  const statements = Array.isArray(Statement) ? Statement : [Statement];
  if (statements.length === 0) return 'It has no Statement.';
  for (const statement of statements) {
    const reason = checkStatement(context, queue, statement);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

function checkStatement(context: NameContext, queue: string, statement: unknown): string | undefined {
  if (!isRecord(statement)) return 'A Statement must be an object.';
  const { Sid, Effect, Principal, Action, Resource, Condition, ...others } = statement;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) return `The element ${unknown} of a Statement is not supported.`;
  if (Sid !== undefined && typeof Sid !== 'string') return 'Sid must be a string.';
  if (Effect !== 'Allow') return 'Effect must be Allow.';
  if (!isTopicsOrEveryone(Principal)) {
    return 'Principal must be {"Service": "sns.amazonaws.com"}, "*" or {"AWS": "*"}.';
  }
  if (!each(Action, (action) => action.toLowerCase() === 'sqs:sendmessage')) {
    return 'Action must be sqs:SendMessage.';
  }
  const arn = clientArn(context, 'sqs', queue);
  if (!each(Resource, (resource) => resource === arn || resource === '*')) return `Resource must be ${arn}.`;
  if (isConditionOfProject(context, Condition)) return undefined;
  return `Condition must compare aws:SourceArn with topics of the project, such as ${clientArn(context, 'sns', '*')}, and nothing else.`;
}

function isTopicsOrEveryone(principal: unknown): boolean {
  if (principal === '*') return true;
  if (!isRecord(principal)) return false;
  const [[kind, value] = [], ...others] = Object.entries(principal);
  if (others.length > 0) return false;
  return kind === 'Service'
    ? each(value, (service) => service === 'sns.amazonaws.com')
    : kind === 'AWS' && each(value, (account) => account === '*');
}

/**
 * Whether the condition limits the statement to topics of the project: `aws:SourceArn` must name them, and
 * `aws:SourceAccount`, if present, the project.
 */
function isConditionOfProject(context: NameContext, condition: unknown): boolean {
  if (!isRecord(condition)) return false;
  let namesTopics = false;
  for (const [operator, compared] of Object.entries(condition)) {
    if (!OPERATORS.test(operator) || !isRecord(compared)) return false;
    for (const [key, value] of Object.entries(compared)) {
      const name = key.toLowerCase();
      const isArn = name === 'aws:sourcearn' && !operator.endsWith('IfExists');
      if (isArn && each(value, (arn) => isTopicOfProject(context, arn))) namesTopics = true;
      else if (name !== 'aws:sourceaccount' || !each(value, (owner) => owner === ownerOf(context)))
        return false;
    }
  }
  return namesTopics;
}

/** Whether an ARN, which can be a pattern with `*` and `?`, matches only topics of the project. */
function isTopicOfProject(context: NameContext, arn: string): boolean {
  const start = clientArn(context, 'sns', '');
  return arn.startsWith(start) && isName('sns', arn.slice(start.length).replaceAll(/[*?]/g, 'x'));
}

/** Whether a value is a string or a non-empty list of strings, all of which pass. */
function each(value: unknown, passes: (text: string) => boolean): boolean {
  const texts = Array.isArray(value) ? value : [value];
  return texts.length > 0 && texts.every((text) => typeof text === 'string' && passes(text));
}
