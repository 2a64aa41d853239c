"""Study: many runs of one scenario, how they are asked for, and how sure one can be of what they measured."""
