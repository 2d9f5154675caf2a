/** Edits the rules in the form of a policy (iam-policies.astro). */
import type { PermissionSetName } from '../../../../functions/iam/access/permission-sets.ts';
import type { Project, Rule } from '../../api/api.ts';
import { copyOf, fill, find } from '../../ui/dom.ts';

/** A rule in a request. */
export type RuleSpec = { permission_set_names: PermissionSetName[] } & (
  | { project_ids: string[] }
  | { organization_id: string }
);

let rules = 0;

export class RuleEditor {
  readonly #root: ParentNode;
  readonly #organization: string;
  readonly #projects: readonly Project[];

  constructor(root: ParentNode, organization: string, projects: readonly Project[]) {
    this.#root = root;
    this.#organization = organization;
    this.#projects = projects;
    // Assigned, not added: this replaces the listener of an earlier editor.
    find(root, '[data-action="add-rule"]', HTMLButtonElement).onclick = () => this.#add().focus();
  }

  /** Shows the rules of a policy, or an empty rule if there are none. */
  show(given: readonly Rule[]): void {
    this.#list.replaceChildren();
    if (given.length === 0) this.#add();
    for (const rule of given) this.#add(rule);
  }

  /** Returns the chosen rules, or an error message if they are incomplete. */
  read(): RuleSpec[] | string {
    const specs: RuleSpec[] = [];
    for (const [index, node] of [...this.#list.children].entries()) {
      const names = checked(node, '[data-set]') as PermissionSetName[];
      const projects = checked(node, '[data-project]');
      if (names.length === 0) return `Rule ${index + 1}: select at least one permission set`;
      if (isWide(node)) specs.push(...this.#wide(node));
      else if (projects.length === 0) return `Rule ${index + 1}: select at least one project`;
      else specs.push({ permission_set_names: names, project_ids: projects });
    }
    return specs;
  }

  /** Rules have permission sets of one scope type, so permission sets of both types become two rules. */
  #wide(node: Element): RuleSpec[] {
    return ['projects', 'organization'].flatMap((scope) => {
      const names = checked(node, `[data-set="${scope}"]`) as PermissionSetName[];
      return names.length > 0 ? [{ permission_set_names: names, organization_id: this.#organization }] : [];
    });
  }

  #add(rule?: Rule): HTMLElement {
    const node = this.#copy('rule');
    const name = `rule-${rules++}`;
    const scopes = [...node.querySelectorAll<HTMLInputElement>('[data-scope]')];
    for (const scope of scopes) {
      scope.name = name;
      scope.checked = (scope.value === 'organization') === (rule !== undefined && rule.project_ids === null);
      scope.addEventListener('change', () => follow(node));
    }
    for (const box of boxes(node, '[data-set]'))
      box.checked = rule?.permission_set_names.includes(box.value) ?? false;
    find(node, '[data-list="projects"]', HTMLElement).append(...this.#boxes(rule));
    find(node, '[data-action="take-rule"]', HTMLButtonElement).addEventListener('click', () => {
      node.remove();
      this.#number();
      find(this.#root, '[data-action="add-rule"]', HTMLButtonElement).focus();
    });
    this.#list.append(node);
    this.#number();
    follow(node);
    return scopes[0] ?? node;
  }

  #boxes(rule?: Rule): HTMLElement[] {
    return this.#projects.map(({ id, name }) => {
      const line = this.#copy('project');
      fill(line, { name });
      const box = find(line, 'input', HTMLInputElement);
      box.value = id;
      box.checked = rule?.project_ids?.includes(id) ?? this.#projects.length === 1;
      return line;
    });
  }

  #number(): void {
    for (const [index, node] of [...this.#list.children].entries()) {
      fill(node, { title: `Rule ${index + 1}` });
      const button = find(node, '[data-action="take-rule"]', HTMLButtonElement);
      button.ariaLabel = button.title = `Remove rule ${index + 1}`;
    }
  }

  #copy(name: string): HTMLElement {
    return copyOf(find(this.#root, `[data-template="${name}"]`, HTMLTemplateElement));
  }

  get #list(): HTMLElement {
    return find(this.#root, '[data-list="rules"]', HTMLElement);
  }
}

/** Disables projects for permission sets that only apply to the whole organization. */
function follow(node: Element): void {
  const wide = isWide(node);
  find(node, '[data-list="projects"]', HTMLElement).hidden = wide;
  for (const box of boxes(node, '[data-set="organization"]')) {
    box.disabled = !wide;
    if (!wide) box.checked = false;
  }
}

const isWide = (node: Element) => node.querySelector('[data-scope][value="organization"]:checked') !== null;

const boxes = (node: Element, selector: string) => [...node.querySelectorAll<HTMLInputElement>(selector)];

const checked = (node: Element, selector: string) =>
  boxes(node, selector).flatMap((box) => (box.checked ? box.value : []));
