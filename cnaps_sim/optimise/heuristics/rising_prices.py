"""draft"""
from __future__ import annotations
from typing import Final
import numpy as np
from cnaps_sim.optimise.heuristics import price_rules as rules
from cnaps_sim.optimise.lp import relax
from cnaps_sim.optimise.queue_table import Chosen, QueueTable

def solve_with(queue: QueueTable, effort: int, patience: int, known=None, exch=40, debug=None, rnd=1, window=500, mw=10**9, frac=8) -> Chosen:
    count = len(queue)
    relaxed = relax(queue)
    accounts = np.zeros(queue.accounts, rules.ACCOUNT)
    payments = np.zeros(count, rules.PAYMENT)
    desk = np.zeros(1, rules.DESK)
    sent = np.zeros(queue.accounts, np.int64)
    np.add.at(sent, queue.debtor, queue.amount)
    accounts["funds"] = np.minimum(np.maximum(queue.available, 0), sent)
    accounts["worth"] = np.minimum(relaxed.price, 31) * rules.UNIT
    shift = max(0, int(queue.amount.max()).bit_length() - 44)
    payments["debtor"] = queue.debtor
    payments["creditor"] = queue.creditor
    payments["amount"] = queue.amount
    payments["weight"] = queue.amount >> shift
    desk["shift"] = shift
    desk["drawn"] = 1;desk["mwindow"]=mw;desk["window"]=window;desk["landing"]=effort//frac
    desk["best_value"] = -1
    leaving = np.lexsort((-queue.amount, queue.debtor))
    arriving = np.lexsort((-queue.amount, queue.creditor))
    ends = np.cumsum(np.bincount(queue.debtor, minlength=queue.accounts))
    accounts["end_out"] = ends; accounts["first_out"][1:] = ends[:-1]
    ends = np.cumsum(np.bincount(queue.creditor, minlength=queue.accounts))
    accounts["end_in"] = ends; accounts["first_in"][1:] = ends[:-1]
    best = np.zeros(count, bool) if known is None else known.copy()
    start = relaxed.settled == queue.amount if rnd==0 else relaxed.settled >= queue.amount-queue.amount//2 if rnd==1 else relaxed.settled>0
    rec = lambda a: a
    rules.search(accounts, payments, leaving, arriving, np.zeros(queue.accounts, np.int64), np.zeros(queue.accounts, np.int64), np.zeros(count, np.int64), np.zeros(exch, np.int64), np.zeros(exch, np.int64), desk, start, best, relaxed.bound - (relaxed.bound >> 23), patience, effort)
    if debug is not None: debug.append(desk[0])
    return best
