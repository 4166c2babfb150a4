// The application's customers, in a file. In yours, a table of your database.

import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";

import type { Outcome, Standing } from "./outcomes.js";
import { standing } from "./outcomes.js";
import { settings } from "./settings.js";

export interface Customer {
  id: string;
  /** Counts up when the customer may begin anew. */
  attempt: number;
  /** Names the verification that counts: the latest attempt's. */
  scanRef?: string;
  standing?: Standing;
  /** Of the outcome that `standing` is from. */
  occurredAt?: string;
}

const file = settings.customersFile;
const customers: Record<string, Customer> =
  existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {};

export const find = (id: string): Customer | undefined => customers[id];

export function save(customer: Customer): void {
  customers[customer.id] = customer;
  // Renamed into its place: it is never half written.
  writeFileSync(`${file}.new`, JSON.stringify(customers, null, 2));
  renameSync(`${file}.new`, file);
}

/** The latest outcome counts. One that comes again, or late, changes nothing. */
export function record(outcome: Outcome): void {
  const { scanRef, occurredAt } = outcome.detail;
  const customer = Object.values(customers).find((one) => one.scanRef === scanRef);
  if (customer === undefined || occurredAt <= (customer.occurredAt ?? "")) return;
  save({ ...customer, standing: standing(outcome), occurredAt });
}
