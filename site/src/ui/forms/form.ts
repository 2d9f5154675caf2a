/**
 * The behavior of all forms: errors next to fields and in a focused summary, one request at a time, a busy button, and no
 * loss of input on failure.
 *
 * The form needs fields of text-field.astro or permission-fields.astro, a summary `.errors[hidden]`, and a submit button
 * with `data-busy`, its label during a request. `data-at` is the id of the guide's step where the form was opened.
 */

import { type Problem, sentence } from '../../api/errors.ts';
import { signInLink } from '../../api/session.ts';
import { find } from '../dom.ts';

/**
 * Trimmed values of fields, by name. Checkboxes have `true` or an empty string. A submit button with a name adds its value.
 */
export type Values = Record<string, string>;

/** Sends a form. The idempotency key stays the same while the same values are sent without getting a response. */
export type Send = (values: Values, idempotencyKey: string) => Promise<Problem | undefined>;

/** Calls `send` on submit, and `done` after each success. */
export function bindForm(form: HTMLFormElement, send: Send, done: () => void): void {
  const attempts = new Attempts();
  form.noValidate = true;
  // Disabled in the markup, because the browser would submit the form itself before this script has loaded.
  submitOf(form).disabled = false;
  form.addEventListener('input', ({ target }) => complainOfLength(target as HTMLInputElement));
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (isBusy(form)) return;
    void submit(form, (event.submitter as HTMLButtonElement | null) ?? submitOf(form), attempts, send, done);
  });
}

/** Returns whether a request of the form is in progress. */
export function isBusy(form: HTMLFormElement): boolean {
  return form.querySelector('button[aria-busy="true"]') !== null;
}

/** Removes errors of an earlier attempt. */
export function clearErrors(form: HTMLFormElement): void {
  find(form, '.errors', HTMLElement).hidden = true;
  for (const input of fieldsOf(form)) {
    input.removeAttribute('aria-invalid');
    errorOf(input).hidden = true;
  }
}

/** Reports a text that is too long while the person types. Does not cut it, because that would create another name. */
function complainOfLength(input: HTMLInputElement): void {
  if (!input.dataset.max) return;
  const text = tooLong(input);
  if (!text && !groupOf(input).querySelector('.error')) return;
  const error = errorOf(input);
  if (text) error.textContent = text;
  else if (!error.textContent?.startsWith(LONG)) return;
  error.hidden = !text;
  if (text) input.setAttribute('aria-invalid', 'true');
  else input.removeAttribute('aria-invalid');
}

const LONG = 'Too long: ';

/** Returns an error if a text is longer than `data-max`, in UTF-16 code units. */
function tooLong(input: HTMLInputElement): string | undefined {
  const most = Number(input.dataset.max ?? Number.POSITIVE_INFINITY);
  const { length } = typedIn(input);
  return length > most ? `${LONG}${length} characters. Use ${most} at most.` : undefined;
}

async function submit(
  form: HTMLFormElement,
  button: HTMLButtonElement,
  attempts: Attempts,
  send: Send,
  done: () => void,
): Promise<void> {
  clearErrors(form);
  const complaints = shownFieldsOf(form).flatMap((input) => complaint(input) ?? []);
  if (complaints.length > 0) return showFieldErrors(form, complaints);
  const values = { ...valuesOf(form), ...(button.name && { [button.name]: button.value }) };
  const release = busy(button);
  const problem = await send(values, attempts.keyFor(values)).finally(release);
  if (!problem || ANSWERS.includes(problem.kind)) attempts.finish();
  if (problem) showProblem(form, problem);
  else done();
}

/** Problems that show that the request failed. After any other, it may have succeeded. */
const ANSWERS: Problem['kind'][] = ['fields', 'gone', 'refused'];

/** Assigns an idempotency key to values, until a request with them gets a response. */
class Attempts {
  #values = '';
  #key = '';

  keyFor(values: Values): string {
    const text = JSON.stringify(values);
    if (text !== this.#values || !this.#key) this.#key = crypto.randomUUID();
    this.#values = text;
    return this.#key;
  }

  finish(): void {
    this.#key = '';
  }
}

/** Includes select and textarea elements, which have the same members. */
const fieldsOf = (form: HTMLFormElement) => [
  ...form.querySelectorAll<HTMLInputElement>('.field :is(input, select, textarea)'),
];

/** Fields of a choice that was not made are hidden. */
const shownFieldsOf = (form: HTMLFormElement) => fieldsOf(form).filter((input) => !input.closest('[hidden]'));

function typedIn(input: HTMLInputElement): string {
  if (input.type === 'checkbox') return input.checked ? 'true' : '';
  // Spaces can be part of a password. `autocomplete` also identifies passwords that are shown.
  return input.autocomplete.endsWith('-password') ? input.value : input.value.trim();
}

const valuesOf = (form: HTMLFormElement): Values =>
  Object.fromEntries(fieldsOf(form).map((input) => [input.name, typedIn(input)]));

interface Complaint {
  input: HTMLInputElement;
  text: string;
}

function complaint(input: HTMLInputElement): Complaint | undefined {
  const { missing, mismatch = '' } = input.dataset;
  // The first checkbox of a group represents the group.
  const empty = input.type === 'checkbox' ? !groupOf(input).querySelector(':checked') : !typedIn(input);
  if (missing && empty) return { input, text: missing };
  const long = tooLong(input);
  if (long) return { input, text: long };
  const { typeMismatch, patternMismatch, tooShort, badInput, rangeUnderflow } = input.validity;
  const wrong = typeMismatch || patternMismatch || tooShort || badInput || rangeUnderflow;
  return wrong ? { input, text: mismatch } : undefined;
}

function showFieldErrors(form: HTMLFormElement, complaints: Complaint[]): void {
  const links = complaints.map(({ input, text }) => {
    const error = errorOf(input);
    error.textContent = text;
    error.hidden = false;
    const group = input.type === 'checkbox' ? [...groupOf(input).querySelectorAll('input')] : [input];
    for (const one of group) one.setAttribute('aria-invalid', 'true');
    const details = input.closest('details');
    if (details) details.open = true;
    return linkTo(input, text);
  });
  showSummary(form, ...links);
}

function linkTo(input: HTMLInputElement, text: string): HTMLAnchorElement {
  const link = document.createElement('a');
  link.href = `#${input.id}`;
  link.textContent = text;
  link.addEventListener('click', (event) => {
    // Keep the step in the address.
    event.preventDefault();
    input.focus();
  });
  return link;
}

/** Shows a problem, next to its fields if it names any. */
export function showProblem(form: HTMLFormElement, problem: Problem): void {
  const complaints = problem.kind === 'fields' ? complaintsOf(form, problem.fields) : [];
  if (complaints.length > 0) showFieldErrors(form, complaints);
  else showSummary(form, ...wording(form, problem));
}

function complaintsOf(form: HTMLFormElement, refused: { name: string; help?: string }[]): Complaint[] {
  return shownFieldsOf(form).flatMap((input) => {
    // An item of a list is named after the list: `tags.2`.
    const named = refused.find(({ name }) => name === input.name || name.startsWith(`${input.name}.`));
    return named ? { input, text: input.dataset.mismatch ?? named.help ?? '' } : [];
  });
}

function wording(form: HTMLFormElement, problem: Problem): Node[] {
  const text = document.createElement('p');
  text.textContent = sentence(problem, 'form');
  if (problem.kind !== 'signed-out') return [text];
  const link = document.createElement('a');
  link.href = signInLink(form.dataset.at || undefined);
  // Keeps this page and its input.
  link.target = '_blank';
  link.textContent = 'Sign in (opens a new tab)';
  return [text, link];
}

function showSummary(form: HTMLFormElement, ...content: Node[]): void {
  const summary = find(form, '.errors', HTMLElement);
  summary.replaceChildren(...content);
  summary.hidden = false;
  summary.focus();
}

function errorOf(input: HTMLInputElement): HTMLElement {
  return find(groupOf(input), '.error', HTMLElement);
}

const groupOf = (input: HTMLInputElement): Element => input.closest('.field') ?? input;

/** The main submit button. Others have a name. */
const submitOf = (form: HTMLFormElement) =>
  find(form, 'button[type="submit"]:not([name])', HTMLButtonElement);

function busy(button: HTMLButtonElement): () => void {
  const label = button.textContent;
  // Disabling the button would lose the focus. `isBusy` ignores a second click.
  button.setAttribute('aria-busy', 'true');
  button.textContent = button.dataset.busy ?? label;
  return () => {
    button.removeAttribute('aria-busy');
    button.textContent = label;
  };
}
