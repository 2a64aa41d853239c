"""The central bank's books: records, and the compiled rules that change them. No clock, no XML, no files.

Where a rule stands:

* `funds`       what an account may spend (available, reservations, earmark, controls)
* `queue`       the eight-level settlement queue (清算排队): links only
* `posting`     debit and credit posted together; overdraft integral; balance warnings
* `admission`   a payment arrives: precedence of refusals, settle, queue or refuse
* `submission`  a bank is told to pay: it sends, or keeps the payment in its outbox
* `waking`      whose queue is worth a retry; `release`: retrying queues after a credit, first credited, first served
* `covering`    a debit that own money does not pay: pool, then overdraft or pledge
* `pools`       fund pools (资金池): who has to spare, rescues
* `pledges`     pledge financing (质押融资): loans, interest by the hour, repayment loan by loan
* `moves`       transfers that rules make by themselves
* `policy`      when a bank sends what it has been told to pay (发报策略)
* `limits`      limits towards one other or all together (双边限额, 多边限额)
* `matching`    queue matching (排队撮合): who takes part, is it funded, all legs posted together
* `multilateral`  the largest set that keeps the order of every queue
* `orders`      a participant moves or cancels its own queued payment
* `terms`       limits, floors, earmarks, reservations and controls change
* `outbox`      a bank holds its payments back
* `window`      the clearing window closes: returns and penalty loans
* `netting`     the netting server (轧差服务器): headroom under the cap, checked and netted in one act
* `netting_heap`   the cap queue (轧差排队): smallest first; `netting_match`: matching of cap queues
* `netting_terms`  caps, rounds, nets that SAPS has posted, cancellations; `netting_desk`: the Python face of all four
* `advance`     a whole flow, or that of HVPS and that of the netting server together, one compiled call
* `tables`      the arrays and the room in them
* `books`       the Python face of all of it; `matching_desk`: that of queue matching; `tools_desk`: of tools
* `compiled`    how a rule is compiled; `cache`: where compiled rules are kept
"""

from __future__ import annotations

from cnaps_sim.core.books import Books

__all__ = ["Books"]
