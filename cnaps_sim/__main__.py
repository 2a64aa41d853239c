"""`python -m cnaps_sim` is the same as the command `cnaps-sim`."""

from cnaps_sim.cli import main

if __name__ == "__main__":
    main()
