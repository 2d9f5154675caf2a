/** The fields for a preset in nats-roles.astro: fill in the subjects of the role. */
import { PRESETS } from '../../../../functions/nats/presets.ts';
import type { FormDialog } from '../../ui/dialogs/form-dialog.ts';
import { fill, find } from '../../ui/dom.ts';
import type { Values } from '../../ui/forms/form.ts';
import { permissionsFrom, permissionValues, presetOf } from './role-values.ts';

const FIELDS = ['preset', 'subjects', 'stream', 'consumer', 'bucket', 'inbox'];

type Field = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement;

export class PresetFields {
  readonly #dialog: FormDialog;

  constructor(dialog: FormDialog) {
    this.#dialog = dialog;
    for (const name of FIELDS) {
      const field = this.#field(name);
      // Assigned, not added: this replaces the listeners of an earlier time.
      field.oninput = field.onchange = () => this.#apply();
    }
  }

  /**
   * Returns the values of the fields at first. The preset is the first one, or none if `preset` is empty. It comes before
   * its fields, because each of them replaces the permissions by those of the chosen preset.
   */
  values(preset = PRESETS[0]?.id ?? ''): Values {
    return { preset, subjects: '', stream: '', consumer: '', bucket: '', inbox: 'shared' };
  }

  /** Shows the fields of the preset, and replaces the permissions of the role by those of the preset. */
  #apply(): void {
    const value = (name: string) => this.#field(name).value.trim();
    const preset = presetOf(value('preset'));
    const parameters: readonly string[] = preset?.parameters ?? [];
    for (const block of this.#dialog.querySelectorAll<HTMLElement>('[data-parameter]')) {
      const { parameter = '' } = block.dataset;
      block.hidden =
        parameter === 'inbox' ? !preset?.subscribe.includes('{INBOX}') : !parameters.includes(parameter);
    }
    find(this.#dialog, '[data-block="preset"]', HTMLElement).hidden = !preset;
    if (!preset) return;
    fill(this.#dialog, { allows: preset.allows.replaceAll('`', ''), cannot_prevent: preset.cannotPrevent });
    const values = Object.fromEntries(FIELDS.map((name) => [name, value(name)]));
    for (const [name, text] of Object.entries(permissionValues(permissionsFrom(preset, values)))) {
      this.#field(name).value = text;
    }
  }

  #field(name: string): Field {
    return find(this.#dialog, `[name="${name}"]`, HTMLElement) as Field;
  }
}
