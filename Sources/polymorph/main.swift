print("polymorph")
